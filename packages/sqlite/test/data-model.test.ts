import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Driver } from '../src/driver.ts'
import { openFile } from '../src/open.ts'
import { someFolder } from './lib/folder.ts'
import { plans } from './lib/plans.ts'

const sections = readFileSync(new URL('../../../docs/data-model.md', import.meta.url), 'utf8').split('\n## ')

/** The names in each cell of a section's table. */
function rowsOf(heading: string): string[][] {
  const section = sections.find((each) => each.startsWith(`${heading}\n`)) ?? ''
  const lines = section.split('\n').filter((line) => line.startsWith('| `'))
  return lines.map((line) =>
    line.split(' | ').map((cell) => (cell.match(/`[^`]+`/g) ?? []).join(' ').replaceAll('`', '')),
  )
}

const columnsIn = (heading: string): string[] => rowsOf(heading).flatMap(([, column]) => column || [])

describe('docs/data-model.md', () => {
  const { file, remove } = someFolder()
  let driver: Driver
  beforeAll(() => {
    driver = openFile(file, 0)
  })
  afterAll(() => {
    driver.close()
    remove()
  })
  const namesBy = (query: string) =>
    driver
      .prepare(query)
      .all()
      .map(({ name }) => String(name))
  const columnsOf = (table: string) => namesBy(`select name from pragma_table_info('${table}')`)
  const REST = ['leases', 'replicas', 'settings', 'disabled_users', 'audit']

  it('has every column of every table, and no other', () => {
    expect(columnsIn('Sessions').sort()).toEqual(columnsOf('sessions').sort())
    const turns = columnsIn('Turns')
    expect(turns.toSorted()).toEqual(columnsOf('turns').sort())
    const ofAnswers = turns.slice(turns.indexOf('answer_id'))
    expect(columnsOf('superseded').sort()).toEqual(['sid', 'seq', 'place', 'author_id', ...ofAnswers].sort())
    const rest = REST.flatMap((table) => columnsOf(table).map((column) => `${table}.${column}`))
    expect(columnsIn('The rest').sort()).toEqual(rest.sort())
    expect(namesBy(`select name from sqlite_schema where type = 'table'`).sort()).toEqual(
      ['sessions', 'turns', 'superseded', ...REST].sort(),
    )
  })

  it('has every index, and the queries that go by it', () => {
    const names = namesBy(`select name from sqlite_schema where type = 'index' and name not like 'sqlite_%'`)
    const known = ['PRIMARY KEY', ...names].map((index) => {
      const queries = Object.entries(plans).flatMap(([name, found]) => (found.includes(index) ? [name] : []))
      return [index, queries.sort()]
    })
    const told = rowsOf('Indexes of SQLite').map(([index = '', , queries = '']) => [
      index.startsWith('PRIMARY KEY') ? 'PRIMARY KEY' : index,
      queries.split(' ').filter(Boolean).sort(),
    ])
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(known))
  })
})
