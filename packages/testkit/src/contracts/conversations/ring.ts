import { randomUUID } from 'node:crypto'
import { type SealedConversations, type SealedSession, sessionId } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { allPages, someSid } from './rows.ts'
import { sealedSession } from './sealed-rows.ts'

/** What a rotation asks: which keys of the ring are in use, and where (R28). */
export function ringContract(store: () => SealedConversations): void {
  describe('the keys of the ring', () => {
    // No other test uses the same, for it is asked of the whole store.
    const someKeyId = () => `k-${randomUUID()}`

    it('are counted by the sessions that they have wrapped', async () => {
      const [one, two, unused] = [someKeyId(), someKeyId(), someKeyId()]
      const sessions: SealedSession[] = []
      for (const keyId of [one, one, one, two]) sessions.push(await sealedSession(store(), { keyId }))
      const counts = async () => {
        const inUse = await store().keysInUse()
        return [one, two, unused].map((keyId) => inUse.get(keyId))
      }
      expect(await counts()).toEqual([3, 1, undefined])
      const [first, second, third, fourth] = sessions
      if (!first || !second || !third || !fourth) throw new Error('four were made')
      await store().changeKey(first.sid, first.key, second.key, two)
      expect(await counts()).toEqual([2, 2, undefined])
      await store().changeKey(second.sid, first.key, first.key, two)
      expect(await counts()).toEqual([2, 2, undefined])
      await store().eraseKey(fourth.sid)
      await store().eraseKey(third.sid)
      expect(await counts()).toEqual([1, 1, undefined])
      expect((await store().keysInUse()).has('')).toBe(false)
    })

    it('have sessions that are found by rising sid, page by page, and go on behind one that has another key since', async () => {
      const [keyId, other] = [someKeyId(), someKeyId()]
      const prefix = someSid()
      const sids = [7, 2, 5, 1, 9, 3].map((i) => sessionId(`${prefix}-${i}`))
      for (const sid of sids) await sealedSession(store(), { sid, keyId })
      await sealedSession(store(), { sid: sessionId(`${prefix}-4`), keyId: other })
      const expected = sids.toSorted()
      for (let limit = 1; limit <= 7; limit += 1) {
        expect(await allPages<SealedSession['sid']>(limit, (after) => store().keyedBy(keyId, limit, after))).toEqual(
          expected,
        )
      }
      const [first = prefix, ...rest] = expected
      const { key } = (await store().session(first)) ?? {}
      if (!key) throw new Error('the session is gone')
      await store().changeKey(first, key, key, other)
      expect(await store().keyedBy(keyId, 9, first)).toEqual(rest)
      expect(await store().keyedBy(keyId, 9)).toEqual(rest)
      expect(await store().keyedBy(someKeyId(), 9)).toEqual([])
    })
  })
}
