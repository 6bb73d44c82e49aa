import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Driver } from '../src/driver.ts'
import { openFile } from '../src/open.ts'
import { sql } from '../src/sql/index.ts'
import { someFolder } from './lib/folder.ts'
import { plans } from './lib/plans.ts'

/** What sums and counts are made of, and nothing else is read for them. */
const covered = [
  'spentInTurns',
  'spentInSuperseded',
  'tokensSince',
  'supersededTokensSince',
  'keysInUse',
  'keyedBy',
  'replicas',
] as const

describe('the plan of every query', () => {
  const { file, remove } = someFolder()
  let driver: Driver
  beforeAll(() => {
    driver = openFile(file, 0)
  })
  afterAll(() => {
    driver.close()
    remove()
  })

  function planOf(query: string): string[] {
    const params = Object.fromEntries(Array.from(query.matchAll(/:(\w+)/g), ([, name]) => [name ?? '', null]))
    const rows = driver.prepare(`explain query plan ${query}`).all(params)
    return rows.map(({ detail }) => String(detail))
  }
  const structural = /^(CORRELATED SCALAR SUBQUERY|LIST SUBQUERY)/

  it.each(Object.entries(sql))('%s finds its rows by an index', (name, query) => {
    const steps = planOf(query).filter((step) => !structural.test(step))
    const indexes = steps.map((step) => /^SEARCH \w+ USING (?:COVERING )?(?:INDEX (\w+)|.*(PRIMARY KEY))/.exec(step))
    expect(indexes.map((match, i) => match?.[1] ?? match?.[2] ?? steps[i])).toEqual(plans[name as keyof typeof plans])
  })

  it.each(covered)('%s reads nothing but the index', (name) => {
    const searches = planOf(sql[name]).filter((step) => step.startsWith('SEARCH'))
    for (const search of searches) expect(search).toContain('USING COVERING INDEX')
    expect(searches).not.toEqual([])
  })

  it('would show a scan and a sort', () => {
    expect(planOf('select * from turns where ts = :ts').join()).toMatch(/^SCAN/)
    expect(planOf('select * from turns where sid = :sid order by ts').join()).toMatch(/TEMP B-TREE/)
  })
})
