import { type BusListener, connectionId, type EventPacket, edgeId, type Fabric, userId } from '@chatbox/core'
import { createKeyring, type Keyring, sealedFabric } from '@chatbox/crypto'
import { describe, expect, it, vi } from 'vitest'
import { ring, ringKey } from '../rings.ts'
import { openFabric } from './open-fabric.ts'
import { anna, berta, bytes, edge, event, reply, textIn } from './samples.ts'

const tagOf = (uid: string) => userId(ring('k1').tag(uid, 'user'))

async function listen({ bus }: Fabric, uid = anna) {
  const heard: (string | undefined)[] = []
  const listener: BusListener = { event: (packet) => heard.push(textIn(packet)), gap: () => heard.push('gap') }
  await bus.subscribe(uid, listener)
  return heard
}

/** What an adapter was given for an event of Anna. */
async function sealedEvent(given = event('for Anna')): Promise<EventPacket> {
  const seen: EventPacket[] = []
  const { sealed } = openFabric((inner) => ({
    ...inner,
    bus: { ...inner.bus, signal: async (_uid, packet) => void seen.push(packet) },
  }))
  await sealed.bus.signal(anna, given)
  const [packet] = seen
  if (!packet) throw new Error('nothing was sealed')
  return packet
}

describe('an event', () => {
  const given = event('for Anna', { answerId: 'a' as never, attempt: 1, index: 2, epoch: 3 })
  const moved: [string, string, (packet: EventPacket) => EventPacket][] = [
    ['to another user', berta, (packet) => packet],
    ['to another session', anna, ({ header, body }) => ({ header: { ...header, sid: 'other' as never }, body })],
    ['to another type', anna, ({ header, body }) => ({ header: { ...header, type: 'notice' }, body })],
    ['to another class', anna, ({ header, body }) => ({ header: { ...header, class: 'signal' }, body })],
    ['to another attempt', anna, ({ header, body }) => ({ header: { ...header, attempt: 2 }, body })],
    ['to another index', anna, ({ header, body }) => ({ header: { ...header, index: 3 }, body })],
    ['to another epoch', anna, ({ header, body }) => ({ header: { ...header, epoch: 4 }, body })],
    [
      'away from somebody',
      anna,
      ({ header, body }) => ({ header: { ...header, except: connectionId('connection-9') }, body }),
    ],
  ]

  it.each(moved)('that was moved %s is a gap and counted, and nobody hears it (R25)', async (_where, uid, move) => {
    const { sealed, inner, unopenable } = openFabric()
    const heard = await listen(sealed, userId(uid))
    const packet = await sealedEvent(given)
    await inner.bus.signal(tagOf(uid), move(packet))
    await sealed.bus.signal(userId(uid), event('the next one'))
    await vi.waitFor(() => expect(heard).toEqual(['gap', 'the next one']))
    expect(unopenable).toEqual(['event'])
  })

  it('that stays where it was is heard', async () => {
    const { sealed, inner, unopenable } = openFabric()
    const heard = await listen(sealed)
    await inner.bus.signal(tagOf(anna), await sealedEvent(given))
    await vi.waitFor(() => expect(heard).toEqual(['for Anna']))
    expect(unopenable).toEqual([])
  })

  it('in clear, as an older or foreign publisher would send it, is a gap', async () => {
    const { sealed, inner } = openFabric()
    const heard = await listen(sealed)
    await inner.bus.append(tagOf(anna), event('in clear'), 1)
    await vi.waitFor(() => expect(heard).toEqual(['gap']))
  })

  it('that does not open makes the log lost, never a silent gap (P4)', async () => {
    const { sealed, inner, unopenable } = openFabric()
    const start = await sealed.bus.top(anna)
    await sealed.bus.append(anna, event('one'), 1)
    await inner.bus.append(tagOf(anna), { header: event().header, body: bytes('edited') }, 1)
    await sealed.bus.append(anna, event('three'), 1)
    const top = await sealed.bus.top(anna)

    expect(await sealed.bus.read(anna, start)).toEqual({ kind: 'lost', top })
    expect(unopenable).toEqual(['event'])
    const after = await sealed.bus.read(anna, { ...top, offset: top.offset - 1 })
    expect(after.kind === 'events' && after.events.map(({ packet }) => textIn(packet))).toEqual(['three'])
  })

  it('goes between processes all through a rotation, in which a process without the new key has gaps', async () => {
    const { inner } = openFabric()
    const keys = [ringKey('k2'), ringKey('k1')]
    const behind = (keyring: Keyring) => sealedFabric(inner, keyring, { onUnopenable: vi.fn() })
    const late = behind(ring('k1'))
    const prepared = behind(createKeyring({ keys, currentId: 'k1' }))
    const rotated = behind(createKeyring({ keys }))
    const heard = await Promise.all([late, prepared, rotated].map((fabric) => listen(fabric)))

    await late.bus.append(anna, event('one'), 1)
    await prepared.bus.append(anna, event('two'), 1)
    await rotated.bus.append(anna, event('three'), 1)
    await vi.waitFor(() =>
      expect(heard).toEqual([
        ['one', 'two', 'gap'],
        ['one', 'two', 'three'],
        ['one', 'two', 'three'],
      ]),
    )
  })
})

describe('a reply', () => {
  it('to another edge, or for another connection, is dropped and counted, and is a gap', async () => {
    const { sealed, inner, unopenable } = openFabric((memory) => ({
      ...memory,
      bus: {
        ...memory.bus,
        async reply(to, packet) {
          await memory.bus.reply(edgeId('edge-2'), packet)
          await memory.bus.reply(to, { ...packet, header: { ...packet.header, target: connectionId('other') } })
          await memory.bus.reply(to, packet)
        },
      },
    }))
    const [here, there, gap] = [vi.fn(), vi.fn(), vi.fn()]
    await sealed.bus.listen(edge, here, gap)
    await sealed.bus.listen(edgeId('edge-2'), there)
    await sealed.bus.reply(edge, reply('for you'))
    await vi.waitFor(() => expect(here).toHaveBeenCalledOnce())
    expect(textIn(here.mock.calls[0]?.[0])).toBe('for you')
    expect(there).not.toHaveBeenCalled()
    expect(gap).toHaveBeenCalledOnce()
    expect(unopenable).toEqual(['reply', 'reply'])
    expect(inner.sizes().users).toBe(0)
  })
})
