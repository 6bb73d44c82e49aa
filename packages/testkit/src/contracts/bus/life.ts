import { describe, expect, it } from 'vitest'
import { type Build, opener, pass } from '../adapter.ts'
import { eventually, heardBy, record, recorder } from '../recorder.ts'
import { logged, someUser, text } from '../samples.ts'

const IDLE_MS = 400

export function busLifeContract(build: Build<'bus'>): void {
  describe('life of a log', () => {
    const open = opener(build)

    it('ends when nobody touched it for its time; the next one is another log', async () => {
      const store = await open({ idleMs: IDLE_MS })
      const uid = someUser()
      await store.bus.append(uid, logged('event'), 1)
      const old = await store.bus.top(uid)
      await pass(store, IDLE_MS * 1.5)
      const read = await store.bus.read(uid, old)
      expect(read.kind).toBe('lost')
      expect(read.top.log).not.toBe(old.log)
      expect(read.top.run).toBe(old.run)
    })

    it('goes on while somebody is subscribed (R25), and for its time after that', async () => {
      const store = await open({ idleMs: IDLE_MS })
      const uid = someUser()
      const unsubscribe = await store.bus.subscribe(uid, recorder().listener)
      await store.bus.append(uid, logged('event'), 1)
      const position = await store.bus.top(uid)
      for (let i = 0; i < 5; i += 1) await pass(store, IDLE_MS / 2)
      expect(await store.bus.read(uid, position)).toMatchObject({ kind: 'events' })

      for (let i = 0; i < 5; i += 1) await pass(store, IDLE_MS / 2)
      await unsubscribe()
      await pass(store, IDLE_MS / 4)
      expect(await store.bus.read(uid, position)).toMatchObject({ kind: 'events' })
      await pass(store, IDLE_MS * 1.5)
      expect(await store.bus.read(uid, position)).toMatchObject({ kind: 'lost' })
    })
  })

  describe('a log that is forgotten', () => {
    const open = opener(build)

    it('is another one, with nothing in it, and lost for whoever resumes (R22)', async () => {
      const { bus } = await open()
      const uid = someUser()
      const start = await bus.top(uid)
      for (const body of ['one', 'two']) await bus.append(uid, logged(body), 1)
      const end = await bus.top(uid)
      await bus.forget(uid)

      const top = await bus.top(uid)
      expect(top.log).not.toBe(end.log)
      expect(top.run).toBe(end.run)
      for (const position of [start, end]) expect(await bus.read(uid, position)).toEqual({ kind: 'lost', top })
      expect(await bus.read(uid, top)).toEqual({ kind: 'events', events: [], top })
    })

    it('still refuses the generations that it refused before (R6)', async () => {
      const { bus } = await open()
      const uid = someUser()
      await bus.append(uid, logged('owner'), 7)
      await bus.forget(uid)
      expect(await bus.append(uid, logged('stale owner'), 6)).toEqual({ kind: 'stale' })
      const { offset } = await bus.top(uid)
      expect(await bus.append(uid, logged('owner'), 7)).toMatchObject({ position: { offset: offset + 1 } })
    })

    it('is a gap to all who are subscribed, who go on in the log that follows', async () => {
      const { bus } = await open()
      const [uid, other] = [someUser(), someUser()]
      const [one, two, stranger] = [await record(bus, uid), await record(bus, uid), await record(bus, other)]
      await bus.append(uid, logged('before'), 1)
      await bus.append(other, logged('kept'), 1)
      const kept = await bus.top(other)
      await bus.forget(uid)
      await eventually(() => expect([one.gaps, two.gaps]).toEqual([1, 1]))

      const start = await bus.top(uid)
      const appended = await bus.append(uid, logged('after'), 1)
      for (const heard of [one, two]) {
        const last = (await heardBy(bus, uid, heard)).at(-1)
        expect(last && text(last.packet)).toBe('after')
        expect(appended).toEqual({ kind: 'appended', position: last?.position })
      }
      expect(await bus.read(uid, start)).toMatchObject({ kind: 'events', events: [{}] })
      await heardBy(bus, other, stranger)
      expect(stranger.gaps).toBe(0)
      expect(await bus.top(other)).toEqual(kept)
    })

    it('may be one that never was, and may be forgotten again', async () => {
      const { bus } = await open()
      const uid = someUser()
      await bus.forget(uid)
      await bus.forget(uid)
      const top = await bus.top(uid)
      expect(await bus.append(uid, logged('first'), 1)).toMatchObject({ position: { log: top.log } })
      expect(await bus.read(uid, top)).toMatchObject({ kind: 'events', events: [{}] })
    })
  })

  describe('a store that lost everything', () => {
    const open = opener(build)

    it('tells every subscriber of a gap, after which no position from before is good', async () => {
      const { bus, empty } = await open()
      const [uid, other] = [someUser(), someUser()]
      const heard = [await record(bus, uid), await record(bus, uid), await record(bus, other)]
      await bus.append(uid, logged('before'), 5)
      const before = [await bus.top(uid), { ...(await bus.top(uid)), offset: 0 }]
      await empty()
      await eventually(() => expect(heard.map(({ gaps }) => gaps >= 1)).toEqual([true, true, true]))

      const top = await bus.top(uid)
      expect(top.run).not.toBe(before[0]?.run)
      expect(top.log).not.toBe(before[0]?.log)
      for (const position of before) expect(await bus.read(uid, position)).toEqual({ kind: 'lost', top })
    })

    it('goes on delivering to those who were subscribed, at positions of the new log', async () => {
      const { bus, empty } = await open()
      const uid = someUser()
      const heard = await record(bus, uid)
      await bus.append(uid, logged('before'), 5)
      await empty()
      await eventually(() => expect(heard.gaps).toBeGreaterThan(0))

      const start = await bus.top(uid)
      const appended = await bus.append(uid, logged('after'), 5)
      const last = (await heardBy(bus, uid, heard)).at(-1)
      expect(last && text(last.packet)).toBe('after')
      expect(appended).toEqual({ kind: 'appended', position: last?.position })
      expect(await bus.read(uid, start)).toMatchObject({ kind: 'events', events: [{ position: last?.position }] })
    })

    it('does not tell those who have left', async () => {
      const { bus, empty } = await open()
      const uid = someUser()
      const [gone, stays] = [recorder(), await record(bus, uid)]
      await (await bus.subscribe(uid, gone.listener))()
      await empty()
      await eventually(() => expect(stays.gaps).toBeGreaterThan(0))
      expect(gone.gaps).toBe(0)
    })
  })
}
