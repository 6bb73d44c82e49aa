import type { Driver, Statement } from '../driver.ts'
import { answersSql } from './answers.ts'
import { auditSql } from './audit.ts'
import { disabledSql } from './disabled.ts'
import { erasureSql } from './erasure.ts'
import { keysSql } from './keys.ts'
import { leasesSql } from './leases.ts'
import { sessionsSql } from './sessions.ts'
import { turnsSql } from './turns.ts'

/** Everything that the adapter ever asks the database; a test shows that none of it scans (D2). */
export const sql = {
  ...sessionsSql,
  ...turnsSql,
  ...answersSql,
  ...erasureSql,
  ...keysSql,
  ...leasesSql,
  ...auditSql,
  ...disabledSql,
} as const

export type Statements = Readonly<Record<keyof typeof sql, Statement>>

export function prepareAll(driver: Driver): Statements {
  return Object.fromEntries(Object.entries(sql).map(([name, text]) => [name, driver.prepare(text)])) as Statements
}
