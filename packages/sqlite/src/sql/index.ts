import type { Driver, Statement } from '../driver.ts'
import { disabledSql } from './disabled.ts'
import { leasesSql } from './leases.ts'
import { sessionsSql } from './sessions.ts'
import { turnsSql } from './turns.ts'

/** Everything that the adapter ever asks the database; a test shows that none of it scans (D2). */
export const sql = { ...sessionsSql, ...turnsSql, ...leasesSql, ...disabledSql } as const

export type Statements = Readonly<Record<keyof typeof sql, Statement>>

export function prepareAll(driver: Driver): Statements {
  return Object.fromEntries(Object.entries(sql).map(([name, text]) => [name, driver.prepare(text)])) as Statements
}
