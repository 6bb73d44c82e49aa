import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Driver } from '../src/driver.ts'
import { openFile } from '../src/open.ts'
import { sql } from '../src/sql/index.ts'
import { someFolder } from './lib/folder.ts'

/** Every query of the adapter, with the indexes by which it finds its rows: none scans, none sorts by itself (D2, D4). */
const expected: Record<keyof typeof sql, readonly string[]> = {
  insertSession: [],
  sessionById: ['sessions_sid'],
  sessionByShare: ['sessions_share'],
  updateSession: ['sessions_sid'],
  sessionsOfUser: ['sessions_of_user', 'turns_place'],
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
  unsettledOfPartition: ['turns_unsettled'],
  tokensOfTurns: ['turns_tokens'],
  tokensOfSuperseded: ['superseded_tokens'],
  tokensSince: ['turns_spent'],
  supersededTokensSince: ['superseded_spent'],
  beginAttempt: ['turns_answer'],
  endAnswer: ['turns_answer'],
  changePending: ['turns_answer'],
  keepSuperseded: ['turns_place', 'superseded_place'],
  replaceAnswer: ['turns_place'],
  rateAnswer: ['turns_answer'],
  settle: ['turns_place'],
  eraseKey: ['sessions_sid'],
  cancelPending: ['turns_pending'],
  blankTurns: ['turns_place'],
  blankSuperseded: ['superseded_place'],
  erasableOfUser: ['sessions_of_user'],
  erasableOfPartition: ['sessions_idle'],
  forgetAuthor: ['turns_place', 'sessions_erased'],
  forgetSupersededAuthor: ['superseded_place', 'sessions_erased'],
  forgetOwner: ['sessions_erased'],
  replaceKey: ['sessions_sid'],
  keysInUse: ['sessions_key'],
  keyedBy: ['sessions_key'],
  resealTurn: ['turns_place'],
  resealSuperseded: ['superseded_answer'],
  resealNames: ['sessions_sid'],
  acquireLease: [],
  renewLease: ['PRIMARY KEY'],
  releaseLease: ['PRIMARY KEY'],
  freeLeases: ['leases_of_owner'],
  attend: [],
  leave: ['PRIMARY KEY'],
  dropAbsent: ['replicas_until'],
  dropReplicas: ['PRIMARY KEY'],
  replicas: ['replicas_until', 'leases_of_owner'],
  insertSetting: [],
  setting: ['PRIMARY KEY'],
  auditOfRequest: ['audit_request'],
  insertAudit: [],
  lastAudit: ['audit_place'],
  auditAfter: ['audit_place'],
  addDisabled: [],
  removeDisabled: ['PRIMARY KEY'],
  disabledUsers: ['PRIMARY KEY'],
}

/** What sums and counts are made of, and nothing else is read for them. */
const covered = [
  'tokensOfTurns',
  'tokensOfSuperseded',
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
    expect(indexes.map((match, i) => match?.[1] ?? match?.[2] ?? steps[i])).toEqual(
      expected[name as keyof typeof expected],
    )
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
