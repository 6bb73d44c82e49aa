import { randomBytes } from 'node:crypto'
import type { SealedConversations, SealedSession } from '@chatbox/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resealContract } from './reseal.ts'
import { ringContract } from './ring.ts'
import { atOnce, someEnd, someLine, someQuestion, someSid, someStub } from './rows.ts'
import { plain, sealedSession } from './sealed-rows.ts'
import { byteValues, inTexts, type Values, withKeys } from './store.ts'

export interface SealedStore {
  readonly conversations: SealedConversations
  close(): Promise<void>
}

/** What a database adapter owes beyond `Conversations`: the key of each session, and bytes kept as they are. */
export function sealedConversationsContract(name: string, build: () => Promise<SealedStore>): void {
  describe(`SealedConversations on ${name}`, () => {
    let built: SealedStore
    beforeAll(async () => {
      built = await build()
    })
    afterAll(() => built.close())
    const store = () => built.conversations
    const speaking = (values: Values<Uint8Array>) =>
      inTexts({ conversations: withKeys(store()), content: values, text: values, close: built.close })
    const texts = () => speaking(byteValues)
    const bytes = () => speaking(latin1)

    const created = () => sealedSession(store())
    const keyOf = async (sid: SealedSession['sid']) => plain((await store().session(sid))?.key)

    it('gives a session’s key wherever it gives its row', async () => {
      const session = await created()
      const { sid, uid, key, keyId } = session
      const share = { hash: `hash of ${sid}`, until: 5 }
      await store().changeSession(sid, 0, { share })
      const question = someQuestion({ sid, seq: 1 })
      await texts().insertTurn(question)
      const rows = [
        await store().session(sid),
        ...(await store().listSessions(uid, { limit: 1 })),
        (await store().beginAttempt(sid, question.answer.answerId, 0, 'fresh'))?.session,
        await store().sessionByShare(share.hash),
      ]
      for (const row of rows) expect([plain(row?.key), row?.keyId]).toEqual([plain(key), keyId])
      expect(rows).toHaveLength(4)
    })

    it('leaves the key alone when the row changes, and the row when the key does', async () => {
      const session = await created()
      const next = new Uint8Array(randomBytes(60))
      await store().changeSession(session.sid, 0, { msgCount: 4 })
      expect(await keyOf(session.sid)).toEqual(plain(session.key))
      expect(await store().changeKey(session.sid, session.key, next, 'k-2')).toBe(true)
      expect(await store().session(session.sid)).toMatchObject({ msgCount: 4, rev: 1, keyId: 'k-2' })
      expect(await keyOf(session.sid)).toEqual(plain(next))
    })

    it('changes a key from the one that was read alone, and once for 20 at once', async () => {
      const { sid, key } = await created()
      const keys = Array.from({ length: 20 }, () => new Uint8Array(randomBytes(60)))
      expect(await store().changeKey(sid, randomBytes(60), key, 'k-0')).toBe(false)
      expect(await store().changeKey(someSid(), key, key, 'k-0')).toBe(false)
      const outcomes = await atOnce(20, (i) => store().changeKey(sid, key, keys[i] ?? key, `k-${i}`))
      expect(outcomes.filter(Boolean)).toHaveLength(1)
      expect(await keyOf(sid)).toEqual(plain(keys[outcomes.indexOf(true)]))
      expect((await store().session(sid))?.keyId).toBe(`k-${outcomes.indexOf(true)}`)
    })

    it('erases a key and what it had sealed in the row, once (R22)', async () => {
      const { nm: _, preview: __, assistingAdminName: ___, ...session } = await created()
      const share = { hash: `hash of ${session.sid}`, until: 5 }
      await store().changeSession(session.sid, 0, { share })
      for (let time = 0; time < 2; time += 1) {
        await store().eraseKey(session.sid)
        const row = await store().session(session.sid)
        expect(row && { ...row, key: plain(row.key) }).toEqual({ ...session, key: [], keyId: '', rev: 2 })
      }
      expect(await store().sessionByShare(share.hash)).toBeUndefined()
      expect(await store().changeKey(session.sid, session.key, session.key, 'k-1')).toBe(false)
      expect(await keyOf(session.sid)).toEqual([])
      await store().eraseKey(someSid())
    })

    it('keeps bytes as they are: every value, none, and many', async () => {
      const { sid } = await created()
      const every = Buffer.from(Uint8Array.from({ length: 256 }, (_, i) => i)).toString('latin1')
      const many = randomBytes(300_000).toString('latin1')
      for (const [i, content] of [every, '', many].entries()) {
        const question = someQuestion({ sid, seq: i * 2 + 1, content })
        await bytes().insertTurn(question)
        await bytes().endAnswer(sid, question.answer.answerId, someEnd({ text: content }))
        const turn = await bytes().turn(sid, question.seq)
        expect([turn?.content === content, turn?.answer?.text === content]).toEqual([true, true])
        await bytes().changeSession(sid, i, { nm: content, preview: content })
        const session = await bytes().session(sid)
        expect([session?.nm === content, session?.preview === content]).toEqual([true, true])
        expect(await bytes().turns(sid, { limit: 1, after: question.seq })).toEqual([turn])
      }
    })

    it('leaves zero bytes of content and no text at all in an erased row, whatever its stub said', async () => {
      const { sid } = await created()
      const question = someQuestion({ sid, seq: 1 })
      await texts().insertTurn(question)
      await texts().endAnswer(sid, question.answer.answerId, someEnd({ thread: 'a thread' }))
      await texts().eraseTurns(sid, someStub({ sid, seq: 3, content: 'said' }))
      const rows = await store().turns(sid, { limit: 5, after: 0 })
      expect(rows.map(({ content }) => content.length)).toEqual([0, 0])
      expect(rows[0]?.answer).toBeDefined()
      expect(rows[0]?.answer).not.toHaveProperty('text')
      expect(rows[0]?.answer).not.toHaveProperty('thread')
    })

    it('gives a stale insert a place that is taken, after an erasure', async () => {
      const { sid } = await created()
      await texts().insertTurn(someQuestion({ sid, seq: 1 }))
      await texts().eraseTurns(sid, someStub({ sid, seq: 3 }))
      expect(await texts().insertTurn(someLine({ sid, seq: 3 }))).toEqual({ kind: 'place-taken' })
    })

    it('keeps no content of an insert that an erasure met, whichever was first', async () => {
      for (let round = 0; round < 20; round += 1) {
        const { sid } = await created()
        await texts().insertTurn(someLine({ sid, seq: 1 }))
        const calls = [
          () => texts().insertTurn(someLine({ sid, seq: 2, content: 'secret' })),
          () => texts().eraseTurns(sid, someStub({ sid, seq: 2 })),
        ]
        if (round % 2 === 1) calls.reverse()
        const outcomes = await Promise.all(calls.map((call) => call()))
        const inserted = outcomes.find((outcome) => outcome !== undefined)
        const rows = await texts().turns(sid, { limit: 5, after: 0 })
        expect(rows.map(({ content }) => content).join('')).toBe('')
        expect(rows.at(-1)?.event).toBe('erased')
        expect(rows).toHaveLength(inserted?.kind === 'inserted' ? 3 : 2)
      }
    })

    ringContract(store)
    resealContract(store)
  })
}

/** A character for each byte, whatever its value. */
const latin1: Values<Uint8Array> = {
  of: (text) => new Uint8Array(Buffer.from(text, 'latin1')),
  read: (value) => Buffer.from(value).toString('latin1'),
}
