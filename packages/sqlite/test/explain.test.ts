import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Driver } from '../src/driver.ts'
import { openFile } from '../src/open.ts'
import { sql } from '../src/sql/index.ts'
import { someFolder } from './lib/folder.ts'

/** Every query of the adapter, with the indexes by which it finds its rows: none scans, none sorts by itself (D2, D4). */
const expected: Record<keyof typeof sql, readonly string[]> = {
  insertSession: [],
  sessionById: ['sessions_sid'],
  updateSession: ['sessions_sid'],
  sessionsOfUser: ['sessions_of_user', 'turns_place'],
  replaceKey: ['sessions_sid'],
  eraseKey: ['sessions_sid'],
  insertTurn: [],
  turnBelow: ['turns_place'],
  turnAt: ['turns_place'],
  lastTurn: ['turns_place'],
  turnByCmid: ['turns_cmid'],
  turnByAnswer: ['turns_answer'],
  turnBySuperseded: ['superseded_answer', 'turns_place'],
  turnsDown: ['turns_place'],
  turnsUp: ['turns_place'],
  supersededBetween: ['superseded_place'],
  pendingOfSession: ['turns_pending'],
  pendingOfPartition: ['turns_pending_of'],
  askedAt: ['turns_answer', 'superseded_answer'],
  tokensOfTurns: ['turns_tokens'],
  tokensOfSuperseded: ['superseded_tokens'],
  beginAttempt: ['turns_answer'],
  endAnswer: ['turns_answer'],
  changePending: ['turns_answer'],
  keepSuperseded: ['turns_place', 'superseded_place'],
  replaceAnswer: ['turns_place'],
  blankTurns: ['turns_place'],
  blankSuperseded: ['superseded_answer'],
  cancelPending: ['turns_pending'],
  acquireLease: [],
  renewLease: ['PRIMARY KEY'],
  releaseLease: ['PRIMARY KEY'],
  freeLeases: ['leases_of_owner'],
  owners: ['leases_of_owner'],
  insertSetting: [],
  setting: ['PRIMARY KEY'],
  addDisabled: [],
  removeDisabled: ['PRIMARY KEY'],
  disabledUsers: ['PRIMARY KEY'],
}

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
  const structural = /^(CORRELATED SCALAR SUBQUERY|COMPOUND QUERY|LEFT-MOST SUBQUERY|UNION ALL)/

  it.each(Object.entries(sql))('%s finds its rows by an index', (name, query) => {
    const steps = planOf(query).filter((step) => !structural.test(step))
    const indexes = steps.map((step) => /^SEARCH \w+ USING (?:COVERING )?(?:INDEX (\w+)|.*(PRIMARY KEY))/.exec(step))
    expect(indexes.map((match, i) => match?.[1] ?? match?.[2] ?? steps[i])).toEqual(
      expected[name as keyof typeof expected],
    )
  })

  it.each(['tokensOfTurns', 'tokensOfSuperseded', 'owners'] as const)('%s reads nothing but the index', (name) => {
    expect(planOf(sql[name]).join()).toContain('USING COVERING INDEX')
  })

  it('would show a scan and a sort', () => {
    expect(planOf('select * from turns where ts = :ts').join()).toMatch(/^SCAN/)
    expect(planOf('select * from turns where sid = :sid order by ts').join()).toMatch(/TEMP B-TREE/)
  })
})
