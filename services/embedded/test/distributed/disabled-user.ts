import { startWire } from '@chatbox/testkit/network'
import { Redis } from 'ioredis'
import { expect } from 'vitest'
import { later, ownRedis } from './scene.ts'
import { startDistributed } from './system.ts'

export interface DisabledOptions {
  readonly clockScale: number
  /** Within which all sockets must be closed. */
  readonly withinMs: number
  /** Whether the edges hear nothing of it, and do not know that they are deaf. */
  readonly signalLost: boolean
}

/** Disables a user who has devices on three edges, in the database alone, and waits for what has to come of it (R23, security 8). */
export async function disableSomebody({ clockScale, withinMs, signalLost }: DisabledOptions): Promise<void> {
  const redis = await ownRedis()
  const wire = await startWire(redis.port)
  later(() => wire.close())
  const system = await startDistributed({
    redisUrl: `redis://127.0.0.1:${wire.port}`,
    backendUrl: redis.url,
    clockScale,
  })
  later(() => system.stop())
  const onEach = (user: string) =>
    Promise.all([0, 1].flatMap((n) => system.edges.map((edge, i) => system.device(edge, user, `device-${i}-${n}`))))
  const [devices, neighbours] = [await onEach('eve'), await onEach('ada')]

  if (signalLost) {
    const admin = new Redis({ host: '127.0.0.1', port: redis.port })
    const subscribers = String(await admin.call('CLIENT', 'LIST', 'TYPE', 'pubsub'))
    admin.disconnect()
    const ports = [...subscribers.matchAll(/ addr=[^ ]*:(\d+) /g)].map(([, port]) => Number(port))
    expect(ports.length).toBeGreaterThanOrEqual(system.edges.length)
    for (const port of ports) wire.freezeConnection(port)
  }

  await system.disable('eve')
  const ends = () => devices.map(({ end }) => end?.code)
  await expect.poll(ends, { timeout: withinMs, interval: 10 }).toEqual(devices.map(() => 4204))
  for (const device of devices) {
    expect(device.frames.at(-1)).toMatchObject({ type: 'error', code: 'disabled' })
  }
  for (const edge of system.edges) {
    await expect(system.device(edge, 'eve', 'once-more', { patient: false })).rejects.toThrow(/4204/)
  }
  for (const neighbour of neighbours) {
    neighbour.send({ type: 'ping', requestId: 'still-here' })
    await neighbour.waitFor('pong', ({ requestId }) => requestId === 'still-here')
  }
}
