import type { BusListener } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { turns } from '../src/turns.ts'
import { openEdge, sizeOf, until, untilEmpty } from './support/open-edge.ts'

const USERS = 200
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** An edge full of users, a bus that can say to all of them at once that it missed something, and how many calls run at once. */
async function crowd() {
  const open = await openEdge({ times: { spreadMs: 10_000 } })
  const listeners: BusListener[] = []
  open.tamper.on('bus', 'subscribe', (proceed, _uid, listener) => {
    listeners.push(listener as BusListener)
    return proceed()
  })
  const devices = await Promise.all(Array.from({ length: USERS }, (_, i) => open.device(`user-${i}`)))
  const calls = { now: 0, most: 0, all: 0 }
  for (const [port, method] of [
    ['bus', 'read'],
    ['answers', 'snapshot'],
  ] as const) {
    open.tamper.on(port, method, async (proceed) => {
      calls.all += 1
      calls.now += 1
      calls.most = Math.max(calls.most, calls.now)
      await pause(5)
      calls.now -= 1
      return proceed()
    })
  }
  return {
    open,
    devices,
    calls,
    gap: () => {
      for (const listener of listeners) listener.gap()
    },
  }
}

describe('a gap of all users at once (R25)', () => {
  it('is made up for a few at a time, for everybody', async () => {
    const { open, devices, calls, gap } = await crowd()
    gap()
    expect(await sizeOf(open, 'recoveries')).toBe(USERS)
    await until(async () => calls.all >= USERS * 2 && (await sizeOf(open, 'recoveries')) === 0, 'all have been read')
    expect(calls.most).toBeLessThanOrEqual(50)
    expect(calls.most).toBeGreaterThan(20)
    expect(await open.metric('edge_gaps_total')).toBe(USERS)
    for (const [i, device] of devices.entries()) {
      await open.storage.say(`user-${i}`, 'after')
      await device.waitFor('message')
    }
    for (const device of devices) await device.close()
    await untilEmpty(open)
  })

  it('that cannot be made up for sends them to load again, each at its own moment', async () => {
    const { open, devices, gap } = await crowd()
    open.memory.empty('realtime')
    gap()
    const told = await Promise.all(devices.map((device) => device.waitFor('ready', ({ recovered }) => !recovered, 1)))
    const moments = told.map(({ reloadAfterMs = 0 }) => reloadAfterMs)
    expect(new Set(moments).size).toBeGreaterThan(USERS / 2)
    for (const half of [moments.filter((ms) => ms < 5_000), moments.filter((ms) => ms >= 5_000)]) {
      expect(half.length).toBeGreaterThan(USERS / 5)
    }
  })

  it('lets those in meanwhile who come', async () => {
    const { open, gap } = await crowd()
    let goOn: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      goOn = resolve
    })
    let reads = 0
    open.tamper.on('bus', 'read', async (proceed) => {
      reads += 1
      await held
      return proceed()
    })
    gap()
    await until(() => reads > 0, 'the logs are being read again')
    await open.device('newcomer')
    goOn()
  })
})

describe('turns', () => {
  it('are taken in order, so many at once, whatever fails', async () => {
    const two = turns(2)
    const begun: number[] = []
    let running = 0
    const works = Array.from({ length: 10 }, (_, i) =>
      two.take(async () => {
        begun.push(i)
        running += 1
        expect(running).toBeLessThanOrEqual(2)
        await pause(1)
        running -= 1
        if (i % 3 === 0) throw new Error('it fell over')
      }),
    )
    expect(two.size).toBe(10)
    const ends = await Promise.allSettled(works)
    expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(4)
    expect(begun).toEqual(Array.from({ length: 10 }, (_, i) => i))
    expect(two.size).toBe(0)
  })
})
