import type { Position } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { type Build, opener } from '../adapter.ts'
import { record, textsHeardBy } from '../recorder.ts'
import { logged, signal, someUser, text, texts } from '../samples.ts'

export function busLogContract(build: Build<'bus'>): void {
  describe('log', () => {
    const open = opener(build)

    it('has a position before it was ever used, and keeps it', async () => {
      const { bus } = await open()
      const uid = someUser()
      const top = await bus.top(uid)
      expect(await bus.top(uid)).toEqual(top)
      expect(await bus.read(uid, top)).toEqual({ kind: 'events', events: [], top })
    })

    it('gives each event the next offset', async () => {
      const { bus } = await open()
      const uid = someUser()
      const top = await bus.top(uid)
      for (let i = 1; i <= 5; i += 1) {
        const position = { ...top, offset: top.offset + i }
        expect(await bus.append(uid, logged(`event ${i}`), 1)).toEqual({ kind: 'appended', position })
        expect(await bus.top(uid)).toEqual(position)
      }
    })

    it('gives exactly what follows any of its positions', async () => {
      const { bus } = await open()
      const uid = someUser()
      const positions = [await bus.top(uid)]
      const bodies = Array.from({ length: 12 }, (_, i) => `event ${i}`)
      for (const body of bodies) {
        const appended = await bus.append(uid, logged(body), 1)
        if (appended.kind === 'appended') positions.push(appended.position)
      }
      for (const [i, position] of positions.entries()) {
        const read = await bus.read(uid, position)
        expect(read).toMatchObject({ kind: 'events', top: positions.at(-1) })
        if (read.kind !== 'events') continue
        expect(texts(read.events.map(({ packet }) => packet))).toEqual(bodies.slice(i))
        expect(read.events.map((event) => event.position)).toEqual(positions.slice(i + 1))
      }
    })

    it('holds no signals', async () => {
      const { bus } = await open()
      const uid = someUser()
      const top = await bus.top(uid)
      await bus.signal(uid, signal('now'))
      expect(await bus.read(uid, top)).toEqual({ kind: 'events', events: [], top })
    })

    it('is lost for a position of another log, of another run or beyond the top, and says where it is now (R24)', async () => {
      const { bus } = await open()
      const [uid, other] = [someUser(), someUser()]
      await bus.append(uid, logged('event'), 1)
      await bus.append(other, logged('event'), 1)
      const top = await bus.top(uid)
      const strange: Position[] = [
        await bus.top(other),
        { ...top, log: 'another' },
        { ...top, run: 'another' },
        { ...top, offset: top.offset + 1 },
        { ...top, offset: Number.MAX_SAFE_INTEGER },
      ]
      for (const position of strange) expect(await bus.read(uid, position)).toEqual({ kind: 'lost', top })
      expect(await bus.read(uid, top)).toMatchObject({ kind: 'events', events: [] })
    })

    it('is bounded: an old position is lost in the end, and never answered in part (P4, P10)', async () => {
      const { bus } = await open({ logEvents: 10 })
      const uid = someUser()
      const start = await bus.top(uid)
      let appended = 0
      for (;;) {
        appended += 1
        await bus.append(uid, logged(String(appended)), 1)
        const read = await bus.read(uid, start)
        if (read.kind === 'lost') break
        expect(read.events).toHaveLength(appended)
        expect(appended).toBeLessThan(1_000)
      }
      const top = await bus.top(uid)
      const recent = await bus.read(uid, { ...top, offset: top.offset - 10 })
      expect(recent.kind === 'events' && texts(recent.events.map(({ packet }) => packet))).toEqual(
        Array.from({ length: 10 }, (_, i) => String(appended - 9 + i)),
      )
    })

    it('puts appends that race into one order, the same for readers and subscribers', async () => {
      const { bus } = await open()
      const uid = someUser()
      const start = await bus.top(uid)
      const [one, two] = [await record(bus, uid), await record(bus, uid)]
      const appends = await Promise.all(Array.from({ length: 100 }, (_, i) => bus.append(uid, logged(`event ${i}`), 1)))
      const offsets = appends.flatMap((appended) => (appended.kind === 'appended' ? [appended.position.offset] : []))
      expect(offsets.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => start.offset + 1 + i))

      const read = await bus.read(uid, start)
      const order = read.kind === 'events' ? read.events.map(({ packet }) => text(packet)) : []
      expect(new Set(order).size).toBe(100)
      expect(await textsHeardBy(bus, uid, one)).toEqual(order)
      expect(await textsHeardBy(bus, uid, two)).toEqual(order)
    })
  })

  describe('generation of the partition’s owner (R6)', () => {
    const open = opener(build)

    it('is refused when it is lower than one the log has seen: nothing is logged, nothing is heard', async () => {
      const { bus } = await open()
      const uid = someUser()
      const heard = await record(bus, uid)
      await bus.append(uid, logged('owner'), 7)
      const top = await bus.top(uid)
      expect(await bus.append(uid, logged('stale owner'), 6)).toEqual({ kind: 'stale' })
      expect(await bus.top(uid)).toEqual(top)
      expect(await textsHeardBy(bus, uid, heard)).toEqual(['owner'])
    })

    it('may stay or rise, and is counted for each user alone', async () => {
      const { bus } = await open()
      const [uid, other] = [someUser(), someUser()]
      for (const gen of [3, 3, 9])
        expect(await bus.append(uid, logged('event'), gen)).toMatchObject({ kind: 'appended' })
      expect(await bus.append(other, logged('event'), 1)).toMatchObject({ kind: 'appended' })
      expect(await bus.append(uid, logged('event'), 8)).toEqual({ kind: 'stale' })
    })

    it('lets nothing of the old owner follow the first event of the new one, when they race', async () => {
      const { bus } = await open()
      const uid = someUser()
      const heard = await record(bus, uid)
      await Promise.all(
        Array.from({ length: 60 }, (_, i) =>
          i < 30 ? bus.append(uid, logged('old'), 1) : bus.append(uid, logged('new'), 2),
        ).sort(() => Math.random() - 0.5),
      )
      const order = await textsHeardBy(bus, uid, heard)
      expect(order.filter((body) => body === 'new')).toHaveLength(30)
      expect(order.slice(order.indexOf('new'))).not.toContain('old')
    })
  })
}
