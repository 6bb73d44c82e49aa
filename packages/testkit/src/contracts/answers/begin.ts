import { describe, expect, it } from 'vitest'
import { type Build, opener } from '../adapter.ts'
import { record, textsHeardBy } from '../recorder.ts'
import { endPacket, signal, someAnswer, someSession, text } from '../samples.ts'
import { append, begin, openText, write } from './writing.ts'

export function beginContract(build: Build<'answers' | 'bus'>): void {
  describe('begin', () => {
    const open = opener(build)

    it('announces what stands in the log there, at the next position', async () => {
      const { answers, bus } = await open()
      const ref = someAnswer()
      const top = await bus.top(ref.uid)
      const heard = await record(bus, ref.uid)
      expect(await begin(answers, ref)).toBe('begun')

      expect(await textsHeardBy(bus, ref.uid, heard)).toEqual(['started 1'])
      const position = { ...top, offset: top.offset + 1 }
      expect(heard.events[0]?.position).toEqual(position)
      const read = await bus.read(ref.uid, top)
      expect(read).toMatchObject({ kind: 'events', top: position, events: [{ position }] })
      expect(read.kind === 'events' && read.events.map(({ packet }) => text(packet))).toEqual(['started 1'])
    })

    it('announces a signal to those who listen, and leaves the log alone', async () => {
      const { answers, bus } = await open()
      const ref = someAnswer()
      const top = await bus.top(ref.uid)
      const heard = await record(bus, ref.uid)
      expect(await answers.begin(ref, 2, 0, signal('reset', { type: 'answer.reset' }))).toBe('begun')
      expect(await textsHeardBy(bus, ref.uid, heard)).toEqual(['reset'])
      expect(heard.events[0]?.position).toBeUndefined()
      expect(await bus.top(ref.uid)).toEqual(top)
    })

    it('is not held up by the generation of the partition’s owner', async () => {
      const { answers, bus } = await open()
      const ref = someAnswer()
      await bus.append(ref.uid, signal('owner', { class: 'logged' }), 99)
      expect(await begin(answers, ref)).toBe('begun')
      expect(await bus.append(ref.uid, signal('stale', { class: 'logged' }), 98)).toEqual({ kind: 'stale' })
    })

    it('opens a record without text', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      await begin(answers, ref)
      const { open: opened } = await answers.snapshot(ref.uid)
      expect(opened).toEqual([{ ref, attempt: 1, next: 0, chunks: [] }])
      expect(await answers.inspect([ref])).toMatchObject([{ attempt: 1, state: 'open' }])
    })

    it('is stale for an attempt that has begun and for lower ones, and then announces nothing (R12)', async () => {
      const { answers, bus } = await open()
      const ref = someAnswer()
      await begin(answers, ref, 3)
      await append(answers, ref, 3, 0, 'text')
      const heard = await record(bus, ref.uid)
      for (const attempt of [3, 2, 1]) expect(await begin(answers, ref, attempt)).toBe('stale')
      expect(await textsHeardBy(bus, ref.uid, heard)).toEqual([])
      expect(await openText(answers, ref)).toBe('text')
    })

    it('of a higher attempt takes the place of the one before, whose text is gone (P6)', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      await write(answers, ref, ['of the ', 'first'])
      expect(await begin(answers, ref, 2)).toBe('begun')
      expect(await openText(answers, ref)).toBe('')
      expect(await append(answers, ref, 2, 0, 'of the second')).toBe('accepted')
      expect(await openText(answers, ref)).toBe('of the second')
    })

    it('is won by one of many that race for an attempt, and announced once', async () => {
      const { answers, bus } = await open()
      const ref = someAnswer()
      const heard = await record(bus, ref.uid)
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => begin(answers, ref)))
      expect(outcomes.filter((outcome) => outcome === 'begun')).toHaveLength(1)
      expect(outcomes.filter((outcome) => outcome === 'stale')).toHaveLength(19)
      expect(await textsHeardBy(bus, ref.uid, heard)).toEqual(['started 1'])
    })

    it('may follow the recorded end of an attempt with a higher one only', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      await write(answers, ref, ['text'])
      await answers.end(ref, 1, endPacket(ref, 1))
      expect(await begin(answers, ref, 1)).toBe('stale')
      expect(await begin(answers, ref, 2)).toBe('begun')
      expect(await answers.inspect([ref])).toMatchObject([{ attempt: 2, state: 'open' }])
      expect((await answers.inspect([ref]))[0]).not.toHaveProperty('end')
    })

    it('is fenced below the session’s owner epoch, and announces nothing (R20)', async () => {
      const { answers, bus } = await open()
      const ref = someAnswer()
      await answers.fence(ref.uid, ref.sid, 2)
      const heard = await record(bus, ref.uid)
      for (const epoch of [0, 1]) expect(await begin(answers, ref, 1, epoch)).toBe('fenced')
      expect(await textsHeardBy(bus, ref.uid, heard)).toEqual([])
      expect(await answers.inspect([ref])).toEqual([undefined])
    })

    it('goes on at the epoch or above it, and in other sessions', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      await answers.fence(ref.uid, ref.sid, 2)
      expect(await begin(answers, ref, 1, 2)).toBe('begun')
      expect(await begin(answers, someAnswer({ uid: ref.uid, sid: ref.sid }), 1, 3)).toBe('begun')
      expect(await begin(answers, someAnswer({ uid: ref.uid, sid: someSession() }), 1, 0)).toBe('begun')
      expect(await begin(answers, someAnswer({ sid: ref.sid }), 1, 0)).toBe('begun')
    })

    it('after a loss needs a higher attempt than the heir’s: ghost and heir can’t leapfrog (R12)', async () => {
      const { answers, empty } = await open()
      const ref = someAnswer()
      await write(answers, ref, ['lost'])
      await empty()
      expect(await append(answers, ref, 1, 1, 'ghost')).toBe('gone')
      expect(await begin(answers, ref, 3)).toBe('begun')
      expect(await begin(answers, ref, 2)).toBe('stale')
      expect(await append(answers, ref, 2, 0, 'ghost')).toBe('stale')
      expect(await append(answers, ref, 3, 0, 'heir')).toBe('accepted')
      expect(await openText(answers, ref)).toBe('heir')
    })
  })
}
