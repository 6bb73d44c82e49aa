import { randomBytes } from 'node:crypto'
import { answerId, sessionId, userId } from '@chatbox/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Driver, openDriver } from '../src/driver.ts'
import { openSqlite } from '../src/index.ts'
import { migrate, SCHEMA_VERSION } from '../src/schema.ts'
import { someFile } from './lib/folder.ts'

/** A file as an earlier version left it. */
function olderFile(version: number, fill: (driver: Driver) => void): string {
  const file = someFile()
  const driver = openDriver(file, 0)
  migrate(driver, version)
  fill(driver)
  driver.close()
  return file
}
async function opened(file: string) {
  const store = await openSqlite({ file })
  onTestFinished(store.close)
  return store
}

/** A wrapped key as the ring makes one. */
const wrappedBy = (id: string) =>
  new Uint8Array(Buffer.concat([Buffer.from([1, id.length]), Buffer.from(id, 'latin1'), randomBytes(60)]))

function insertSession(driver: Driver, sid: string, of: Record<string, string | number | Uint8Array> = {}): void {
  driver
    .prepare(`
      insert into sessions (sid, uid, partition, key, model_id, ts, last_activity, admin_assisted, help_requested,
        total_tokens, msg_count, rts, owner_epoch, read_seq, erased, rev)
      values (:sid, 'ada', 3, :key, 'm', 1, :last_activity, 0, 0, :total_tokens, :msg_count, '[]', 0, 0, 0, 4)`)
    .run({ sid, key: wrappedBy('k1'), last_activity: 1, total_tokens: 0, msg_count: 0, ...of })
}
function insertTurn(driver: Driver, sid: string, seq: number, of: Record<string, string | number | null> = {}): void {
  const answer = { answer_id: `a-${seq}`, status: 'pending', ended_at: null, input_tokens: null, output_tokens: null }
  driver
    .prepare(`
      insert into turns (sid, seq, width, partition, author, author_id, kind, content, ts, answer_id, status, attempt,
        faults, handbacks, n, model_id, asked_at, ended_at, input_tokens, output_tokens, estimated)
      values (:sid, :seq, 2, 3, 'user', 'ada', 'text', x'01', :seq, :answer_id, :status, 0, 0, 0, 0, 'm', 1, :ended_at,
        :input_tokens, :output_tokens, 0)`)
    .run({ sid, seq, ...answer, ...of })
}
const done = { status: 'done', ended_at: 90, input_tokens: 3, output_tokens: 4 }

describe('a file of an earlier version', () => {
  it('says which key of the ring has wrapped each session’s, of any id that a key may have', async () => {
    const ids = ['k', 'env', 'Key_2-b', 'x'.repeat(15), 'y'.repeat(16), 'z'.repeat(64)]
    const file = olderFile(2, (driver) => {
      for (const id of ids) insertSession(driver, `wrapped by ${id}`, { key: wrappedBy(id) })
      insertSession(driver, 'erased', { key: new Uint8Array() })
    })
    const { conversations } = await opened(file)
    for (const id of ids)
      expect(await conversations.session(sessionId(`wrapped by ${id}`))).toMatchObject({ keyId: id })
    expect(await conversations.session(sessionId('erased'))).toMatchObject({ keyId: '' })
    expect(await conversations.keysInUse()).toEqual(new Map(ids.map((id) => [id, 1])))
  })

  it('has the questions unsettled whose answers are pending, and no others', async () => {
    const file = olderFile(2, (driver) => {
      insertSession(driver, 's', { msg_count: 6, last_activity: 99, total_tokens: 7 })
      insertTurn(driver, 's', 1, done)
      insertTurn(driver, 's', 3)
      insertTurn(driver, 's', 5)
    })
    const { conversations } = await opened(file)
    expect((await conversations.unsettledOf(3, 9)).map(({ seq }) => seq)).toEqual([3, 5])
    expect((await conversations.turns(sessionId('s'), { limit: 9 })).map((turn) => turn.unsettled)).toEqual([
      ...[true, true, false],
    ])
    // Sums that were right are left alone.
    expect(await conversations.session(sessionId('s'))).toMatchObject({ rev: 4, msgCount: 6, totalTokens: 7 })
  })

  it('knows what a user has spent, with superseded answers', async () => {
    const file = olderFile(2, (driver) => {
      insertSession(driver, 's')
      insertTurn(driver, 's', 1, done)
      driver.exec(`
        insert into superseded (sid, seq, place, answer_id, status, attempt, faults, handbacks, n, model_id, asked_at,
          ended_at, input_tokens, output_tokens, estimated)
        values ('s', 1, 1, 'old', 'done', 0, 0, 0, 0, 'm', 1, 50, 100, 0, 0)`)
    })
    const { conversations } = await opened(file)
    const since = (time: number) => conversations.tokensSince(userId('ada'), time)
    expect([await since(50), await since(51), await since(91)]).toEqual([107, 7, 0])
    expect(await conversations.turnByAnswerId(sessionId('s'), answerId('old'))).toMatchObject({ seq: 1 })
  })

  it('has its sums corrected where a crash had left them behind, for nothing tells of it later (R3)', async () => {
    const file = olderFile(2, (driver) => {
      insertSession(driver, 's')
      insertTurn(driver, 's', 1, done)
    })
    const { conversations } = await opened(file)
    const sums = { totalTokens: 7, msgCount: 2, lastActivity: 90, rev: 5 }
    expect(await conversations.session(sessionId('s'))).toMatchObject(sums)
  })

  it('opens from every version there was', async () => {
    for (let version = 1; version < SCHEMA_VERSION; version += 1) {
      const file = olderFile(version, (driver) => insertSession(driver, 's'))
      const { conversations, leases, disabledUsers, audit } = await opened(file)
      expect(await conversations.session(sessionId('s'))).toMatchObject({ uid: 'ada', rev: 4 })
      await disabledUsers.set(userId('bob'), true)
      expect(await disabledUsers.list()).toEqual(['bob'])
      expect(await leases.replicas()).toEqual(new Map())
      expect(await audit.last(0)).toBeUndefined()
    }
  })
})
