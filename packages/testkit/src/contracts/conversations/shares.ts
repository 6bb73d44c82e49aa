import { randomUUID } from 'node:crypto'
import type { Share } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { created, someSession, someSid } from './rows.ts'
import type { Texts } from './store.ts'

const someShare = (): Share => ({ hash: `hash-${randomUUID()}`, until: 1_700_000_500_000 })

export function sharesContract(store: () => Texts): void {
  describe('the link to a session', () => {
    it('leads to it, be it still good or not', async () => {
      const shared = { ...someSession(), share: { ...someShare(), until: 1 }, endTs: 5, nm: 'a name', preview: 'said' }
      await store().createSession(shared)
      expect(await store().session(shared.sid)).toEqual(shared)
      expect(await store().sessionByShare(shared.share.hash)).toEqual(shared)
    })

    it('leads nowhere where nobody gave it out', async () => {
      await created(store())
      expect(await store().sessionByShare(someShare().hash)).toBeUndefined()
    })

    it('takes the place of the one before, and is good until it is taken back', async () => {
      const { sid } = await created(store())
      const [first, second] = [someShare(), someShare()]
      await store().changeSession(sid, 0, { share: first })
      expect((await store().sessionByShare(first.hash))?.sid).toBe(sid)
      await store().changeSession(sid, 1, { share: second })
      expect(await store().sessionByShare(first.hash)).toBeUndefined()
      expect(await store().sessionByShare(second.hash)).toMatchObject({ sid, share: second, rev: 2 })
      await store().changeSession(sid, 2, { msgCount: 1 })
      expect((await store().sessionByShare(second.hash))?.share).toEqual(second)
      await store().changeSession(sid, 3, { share: null })
      expect(await store().sessionByShare(second.hash)).toBeUndefined()
      expect(await store().session(sid)).not.toHaveProperty('share')
    })

    it('leads to one session alone: of 20 at once with one hash, one has it', async () => {
      const share = someShare()
      const sids = Array.from({ length: 20 }, someSid)
      for (const sid of sids) await created(store(), { sid })
      const outcomes = await Promise.allSettled(sids.map((sid) => store().changeSession(sid, 0, { share })))
      const winners = sids.filter((_, i) => outcomes[i]?.status === 'fulfilled')
      expect(winners).toHaveLength(1)
      expect((await store().sessionByShare(share.hash))?.sid).toBe(winners[0])
    })
  })
}
