import type { ClosedAnswer } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { type Build, opener, pass } from '../adapter.ts'
import { heardBy, record, textsHeardBy } from '../recorder.ts'
import { chunk, endPacket, logged, someAnswer, someSession, text, texts } from '../samples.ts'
import { append, begin, openText, write } from './writing.ts'

const byId = (closed: readonly ClosedAnswer[]) =>
  Object.fromEntries(closed.map(({ ref, chunks }) => [ref.answerId, texts(chunks).join('')]))

export function fenceContract(build: Build<'answers' | 'bus'>): void {
  describe('fence (R20)', () => {
    const open = opener(build)

    it('closes the open answers of a session and gives their exact texts; other sessions go on', async () => {
      const { answers } = await open()
      const one = someAnswer()
      const two = someAnswer({ uid: one.uid, sid: one.sid })
      const elsewhere = someAnswer({ uid: one.uid, sid: someSession() })
      const foreign = someAnswer({ sid: one.sid })
      for (const [i, ref] of [one, two, elsewhere, foreign].entries()) await write(answers, ref, [`text ${i}`, '!'])

      const closed = await answers.fence(one.uid, one.sid, 1)
      expect(byId(closed)).toEqual({ [one.answerId]: 'text 0!', [two.answerId]: 'text 1!' })
      expect(closed.find(({ ref }) => ref.answerId === two.answerId)).toMatchObject({ ref: two, attempt: 1 })
      for (const ref of [one, two]) {
        expect(await append(answers, ref, 1, 2, 'late')).toBe('ended')
        expect(await answers.end(ref, 1, endPacket(ref, 1))).toBe('stale')
        expect(await begin(answers, ref, 2, 1)).toBe('ended')
        expect(await openText(answers, ref)).toBeUndefined()
      }
      for (const ref of [elsewhere, foreign]) expect(await append(answers, ref, 1, 2, '?')).toBe('accepted')
    })

    it('gives the same texts when repeated, whatever was tried in between', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      await write(answers, ref, ['a', 'b'])
      const closed = await answers.fence(ref.uid, ref.sid, 1)
      await append(answers, ref, 1, 2, 'late')
      await answers.end(ref, 1, endPacket(ref, 1))
      await answers.close(ref)
      expect(await answers.fence(ref.uid, ref.sid, 1)).toEqual(closed)
    })

    it('gives an answer whose end a worker had recorded, with that end: the database may not have it yet', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      await write(answers, ref, ['text'])
      await answers.end(ref, 1, endPacket(ref, 1, 'done'))
      for (let i = 0; i < 2; i += 1) {
        const [closed] = await answers.fence(ref.uid, ref.sid, 1)
        expect(closed?.chunks).toEqual([])
        expect(closed?.end && text(closed.end)).toBe('done')
      }
    })

    it('repeated leaves alone what began under the new epoch', async () => {
      const { answers } = await open()
      const before = someAnswer()
      await write(answers, before, ['before'])
      await answers.fence(before.uid, before.sid, 1)
      const after = someAnswer({ uid: before.uid, sid: before.sid })
      await write(answers, after, ['after'], 1, 1)
      expect(byId(await answers.fence(before.uid, before.sid, 1))).toEqual({ [before.answerId]: 'before' })
      expect(await append(answers, after, 1, 1, '!')).toBe('accepted')
    })

    it('never lowers the epoch', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      await answers.fence(ref.uid, ref.sid, 5)
      await write(answers, ref, ['text'], 1, 5)
      expect(await answers.fence(ref.uid, ref.sid, 3)).toEqual([])
      expect((await answers.snapshot(ref.uid)).epochs.get(ref.sid)).toBe(5)
      expect(await begin(answers, someAnswer({ uid: ref.uid, sid: ref.sid }), 1, 4)).toBe('fenced')
      expect(await append(answers, ref, 1, 1, '!')).toBe('accepted')
      expect(byId(await answers.fence(ref.uid, ref.sid, 6))).toEqual({ [ref.answerId]: 'text!' })
    })

    it('lets no delta follow the event that comes after it, and its texts are the chunks that were accepted', async () => {
      const { answers, bus } = await open()
      for (let round = 0; round < 10; round += 1) {
        const ref = someAnswer()
        await begin(answers, ref)
        const heard = await record(bus, ref.uid)
        let accepted = 0
        const writing = (async () => {
          for (let index = 0; (await append(answers, ref, 1, index, `${index} `)) === 'accepted'; index += 1) {
            accepted += 1
          }
        })()
        await append(answers, ref, 1, 0, '0 ')
        const [closed] = await answers.fence(ref.uid, ref.sid, 1)
        await bus.append(ref.uid, logged('taken over'), 1)
        await writing

        const events = (await heardBy(bus, ref.uid, heard)).map(({ packet }) => text(packet))
        expect(events.at(-1)).toBe('taken over')
        const said = texts(closed?.chunks ?? [])
        expect(said).toEqual(Array.from({ length: accepted }, (_, index) => `${index} `))
        expect(events.slice(0, -1)).toEqual(said)
      }
    })

    it('racing a begin of the old epoch closes it or keeps it out', async () => {
      const { answers } = await open()
      for (let round = 0; round < 20; round += 1) {
        const ref = someAnswer()
        const begun = begin(answers, ref, 1, 0)
        const closed = await answers.fence(ref.uid, ref.sid, 1)
        expect(await begun).toBe(closed.length === 1 ? 'begun' : 'fenced')
        expect(await openText(answers, ref)).toBeUndefined()
      }
    })

    it('is lost with the store, and comes back by being repeated', async () => {
      const { answers, empty } = await open()
      const ref = someAnswer()
      await write(answers, ref, ['text'])
      await answers.fence(ref.uid, ref.sid, 2)
      await empty()
      expect((await answers.snapshot(ref.uid)).epochs.get(ref.sid)).toBeUndefined()
      expect(await answers.fence(ref.uid, ref.sid, 2)).toEqual([])
      expect(await begin(answers, ref, 2, 1)).toBe('fenced')
    })

    it('outlives the answers that it closed', async () => {
      const store = await open({ endedMs: 300 })
      const ref = someAnswer()
      await write(store.answers, ref, ['text'])
      await store.answers.fence(ref.uid, ref.sid, 1)
      await pass(store, 450)
      expect(await begin(store.answers, ref, 2, 0)).toBe('fenced')
    })
  })

  describe('forget (R22)', () => {
    const open = opener(build)

    it('takes the texts of a session away; its epoch and its marks stay', async () => {
      const { answers, bus } = await open()
      const ref = someAnswer()
      const [ended, marked, elsewhere] = [
        someAnswer({ uid: ref.uid, sid: ref.sid }),
        someAnswer({ uid: ref.uid, sid: ref.sid }),
        someAnswer({ uid: ref.uid, sid: someSession() }),
      ]
      await write(answers, ref, ['secret'])
      await write(answers, ended, ['secret'])
      await answers.end(ended, 1, endPacket(ended, 1, 'secret'))
      await answers.close(marked)
      await write(answers, elsewhere, ['kept'])
      await answers.fence(ref.uid, ref.sid, 3)
      const heard = await record(bus, ref.uid)
      for (let i = 0; i < 2; i += 1) await answers.forget(ref.uid, ref.sid)

      for (const one of [ref, ended, marked]) {
        const closed = await answers.close(one)
        expect(closed.chunks).toEqual([])
        expect(closed).not.toHaveProperty('end')
        expect(await begin(answers, one, 9, 3)).toBe('ended')
      }
      for (const { chunks, end } of await answers.fence(ref.uid, ref.sid, 3))
        expect([chunks, end]).toEqual([[], undefined])
      expect(await begin(answers, someAnswer({ uid: ref.uid, sid: ref.sid }), 1, 2)).toBe('fenced')
      expect((await answers.snapshot(ref.uid)).epochs.get(ref.sid)).toBe(3)
      expect(await openText(answers, elsewhere)).toBe('kept')
      expect(await textsHeardBy(bus, ref.uid, heard)).toEqual([])
    })

    it('leaves nothing to append to', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      await write(answers, ref, ['secret'])
      await answers.forget(ref.uid, ref.sid)
      const [outcome] = await answers.append([chunk(ref, 1, 1, 'late')])
      expect(['ended', 'gone']).toContain(outcome)
      expect(await openText(answers, ref)).toBeUndefined()
      expect(await answers.cancelled([ref])).toEqual([false])
    })
  })
}
