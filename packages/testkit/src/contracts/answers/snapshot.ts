import { describe, expect, it } from 'vitest'
import { type Build, opener } from '../adapter.ts'
import { eventually, record, turn } from '../recorder.ts'
import { endPacket, logged, someAnswer, someSession, someUser, texts } from '../samples.ts'
import { append, begin, write } from './writing.ts'

export function snapshotContract(build: Build<'answers' | 'bus'>): void {
  describe('snapshot', () => {
    const open = opener(build)

    it('of a user without answers is the top of the log', async () => {
      const { answers, bus } = await open()
      const uid = someUser()
      const top = await bus.top(uid)
      expect(await answers.snapshot(uid)).toEqual({ top, epochs: new Map(), open: [] })
      await bus.append(uid, logged('event'), 1)
      expect((await answers.snapshot(uid)).top).toEqual(await bus.top(uid))
    })

    it('holds the user’s open answers with exactly their accepted chunks, and nobody else’s', async () => {
      const { answers } = await open()
      const uid = someUser()
      const [one, two, ended, foreign] = [
        someAnswer({ uid, seq: 2 }),
        someAnswer({ uid, seq: 8 }),
        someAnswer({ uid }),
        someAnswer(),
      ]
      await write(answers, one, ['a', 'b'])
      await write(answers, two, ['c'], 3)
      await write(answers, ended, ['d'])
      await write(answers, foreign, ['e'])
      await answers.end(ended, 1, endPacket(ended, 1))

      const { open: opened } = await answers.snapshot(uid)
      const seen = opened.map(({ ref, attempt, next, chunks }) => ({ ref, attempt, next, chunks: texts(chunks) }))
      expect(seen.sort((a, b) => a.ref.seq - b.ref.seq)).toEqual([
        { ref: one, attempt: 1, next: 2, chunks: ['a', 'b'] },
        { ref: two, attempt: 3, next: 1, chunks: ['c'] },
      ])
    })

    it('holds the sessions’ owner epochs (R21)', async () => {
      const { answers } = await open()
      const [uid, sid, other] = [someUser(), someSession(), someSession()]
      await answers.fence(uid, sid, 1)
      await answers.fence(uid, other, 5)
      await answers.fence(uid, sid, 3)
      const { epochs } = await answers.snapshot(uid)
      expect([epochs.get(sid), epochs.get(other)]).toEqual([3, 5])
    })

    it('and the deltas that come with it add up to the whole text, whenever it is taken', async () => {
      const { answers, bus } = await open()
      const ref = someAnswer()
      await begin(answers, ref)
      const word = (index: number) => `${index} `
      const wordsFrom = (index: number, count: number) => Array.from({ length: count }, (_, i) => word(index + i))
      let enough = false
      const writing = (async () => {
        for (let index = 0; !enough; index += 1) {
          await append(answers, ref, 1, index, word(index))
          await turn()
        }
      })()
      for (let i = 0; i < 10; i += 1) {
        const heard = await record(bus, ref.uid)
        const [answer] = (await answers.snapshot(ref.uid)).open
        const next = answer?.next ?? Number.NaN
        expect(texts(answer?.chunks ?? [])).toEqual(wordsFrom(0, next))
        const later = () => heard.events.filter(({ packet }) => (packet.header.index ?? -1) >= next)
        await eventually(() => expect(later().length).toBeGreaterThan(3))
        expect(texts(later().map(({ packet }) => packet))).toEqual(wordsFrom(next, later().length))
      }
      enough = true
      await writing
    })

    it('never holds an open answer beside an epoch that has closed it (R21)', async () => {
      const { answers } = await open()
      for (let round = 0; round < 10; round += 1) {
        const ref = someAnswer()
        await write(answers, ref, ['text'])
        const [first, , ...rest] = await Promise.all([
          answers.snapshot(ref.uid),
          answers.fence(ref.uid, ref.sid, 1),
          ...Array.from({ length: 5 }, () => answers.snapshot(ref.uid)),
        ])
        for (const { epochs, open: opened } of [first, ...rest]) {
          expect(opened).toHaveLength(epochs.get(ref.sid) === 1 ? 0 : 1)
        }
      }
    })
  })
}
