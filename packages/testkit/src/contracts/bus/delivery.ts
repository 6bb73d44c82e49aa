import type { Bus, LogRead } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { type Build, opener } from '../adapter.ts'
import { eventually, heardBy, record, recorder, textsHeardBy, turn } from '../recorder.ts'
import { logged, signal, someUser, text } from '../samples.ts'

export function deliveryContract(build: Build<'bus'>): void {
  describe('delivery', () => {
    const open = opener(build)

    it('brings a subscriber what is appended, whole, at the position that append gave', async () => {
      const { bus } = await open()
      const uid = someUser()
      const heard = await record(bus, uid)
      const body = Uint8Array.from({ length: 256 }, (_, i) => i)
      const header = { class: 'logged', type: 'message', index: 3, epoch: 7 } as const

      const appended = await bus.append(uid, { header, body }, 1)

      const [event] = await eventually(() => {
        expect(heard.events).toHaveLength(1)
        return heard.events
      })
      expect(event?.packet.header).toEqual(header)
      expect([...(event?.packet.body ?? [])]).toEqual([...body])
      expect(appended).toEqual({ kind: 'appended', position: event?.position })
    })

    it('keeps the order of one publisher, signals in between', async () => {
      const { bus } = await open()
      const uid = someUser()
      const heard = await record(bus, uid)
      const sent: string[] = []
      for (let i = 0; i < 30; i += 1) {
        sent.push(`event ${i}`)
        if (i % 3 === 0) await bus.signal(uid, signal(`event ${i}`))
        else await bus.append(uid, logged(`event ${i}`), 1)
      }
      const events = await heardBy(bus, uid, heard)
      expect(events.map(({ packet }) => text(packet))).toEqual(sent)
      for (const { packet, position } of events) expect(position === undefined).toBe(packet.header.class === 'signal')
    })

    it('never calls a listener inside the publisher’s own stack', async () => {
      const { bus } = await open()
      const uid = someUser()
      const heard = await record(bus, uid)
      const publishing = [bus.signal(uid, signal('now')), bus.append(uid, logged('kept'), 1)]
      expect(heard.events).toHaveLength(0)
      await Promise.all(publishing)
      expect((await textsHeardBy(bus, uid, heard)).sort()).toEqual(['kept', 'now'])
    })

    it('shares no object between publisher, log and listeners', async () => {
      const { bus } = await open()
      const uid = someUser()
      const before = await bus.top(uid)
      const [first, second] = [await record(bus, uid), await record(bus, uid)]
      const packet = logged('as it was')

      const appending = bus.append(uid, packet, 1)
      packet.body.fill(0)
      Object.assign(packet.header, { type: 'typing' })
      await appending
      const [heard] = await heardBy(bus, uid, first)
      heard?.packet.body.fill(1)
      Object.assign(heard?.packet.header ?? {}, { type: 'pong' })

      const [other] = await heardBy(bus, uid, second)
      for (const seen of [other?.packet, (await eventsOf(bus.read(uid, before)))[0]?.packet]) {
        expect(seen && text(seen)).toBe('as it was')
        expect(seen?.header.type).toBe('message')
      }
    })

    it('reaches every subscriber of a user (S2) and nobody else', async () => {
      const { bus } = await open()
      const [uid, other] = [someUser(), someUser()]
      const [one, two, stranger] = [await record(bus, uid), await record(bus, uid), await record(bus, other)]
      await bus.append(uid, logged('kept'), 1)
      await bus.signal(uid, signal('now'))
      for (const heard of [one, two]) expect(await textsHeardBy(bus, uid, heard)).toEqual(['kept', 'now'])
      expect(await textsHeardBy(bus, other, stranger)).toEqual([])
    })

    it('brings nothing after an unsubscribe, which leaves other subscribers alone and may come twice', async () => {
      const { bus } = await open()
      const uid = someUser()
      const [gone, stays] = [recorder(), await record(bus, uid)]
      const unsubscribe = await bus.subscribe(uid, gone.listener)
      await unsubscribe()
      await unsubscribe()
      await bus.append(uid, logged('later'), 1)
      expect(await textsHeardBy(bus, uid, stays)).toEqual(['later'])
      expect(gone.events).toEqual([])
    })

    it('brings nothing after an unsubscribe, not even what was published before it', async () => {
      const { bus } = await open()
      const uid = someUser()
      const stays = await record(bus, uid)
      for (let i = 0; i < 10; i += 1) {
        const gone = recorder()
        const unsubscribe = await bus.subscribe(uid, gone.listener)
        const publishing = [bus.append(uid, logged('kept'), 1), bus.signal(uid, signal('now'))]
        if (i % 2) await Promise.all(publishing)
        await unsubscribe()
        const heard = gone.events.length
        await Promise.all(publishing)
        await heardBy(bus, uid, stays)
        expect(gone.events).toHaveLength(heard)
      }
    })

    it('hears again when a subscription follows an unsubscribe at once, however often', async () => {
      const { bus } = await open()
      const uid = someUser()
      for (let i = 0; i < 20; i += 1) {
        const [leave, heard] = [await bus.subscribe(uid, recorder().listener), recorder()]
        const [, unsubscribe] = await Promise.all([leave(), bus.subscribe(uid, heard.listener)])
        await bus.append(uid, logged(`round ${i}`), 1)
        await eventually(() => expect(heard.texts).toEqual([`round ${i}`]))
        await unsubscribe()
      }
    })

    it('misses nothing between subscribing and reading (P4)', async () => {
      const { bus } = await open()
      const uid = someUser()
      const start = await bus.top(uid)
      const appending = (async () => {
        for (let i = 1; i <= 200; i += 1) {
          await bus.append(uid, logged(String(i)), 1)
          await turn()
        }
      })()
      await eventually(async () => expect((await bus.top(uid)).offset).toBeGreaterThan(start.offset + 20))
      const heard = await record(bus, uid)
      const missed = await eventsOf(bus.read(uid, start))
      await appending

      const live = await heardBy(bus, uid, heard)
      const merged = new Map([...missed, ...live].map(({ packet, position }) => [position?.offset, text(packet)]))
      expect([...merged.values()]).toEqual(Array.from({ length: 200 }, (_, i) => String(i + 1)))
    })
  })
}

const eventsOf = async (reading: ReturnType<Bus['read']>) => {
  const read: LogRead = await reading
  if (read.kind === 'lost') throw new Error('the log was lost')
  return read.events
}
