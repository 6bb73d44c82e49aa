import { setTimeout as pause } from 'node:timers/promises'
import { sessionId, userId } from '@chatbox/core'
import { Redis } from 'ioredis'
import { serve } from '../../lib/child.ts'
import { openFabric } from '../fabric.ts'
import { forwarderBox, forwarderChannel, SEALED_FOR_FORWARDER } from '../servers/forwarding.ts'
import { type AdapterName, openEmitter } from '../servers/socket-io-adapter.ts'
import { stampedBytes, stampedFrame } from '../stamp.ts'

// A process that publishes events at a fixed rate, each user's in turn and numbered, in the way that each server listens for.

/** `logged` and `signal`: to edges, into the user's log or past it. `plain` and `sealed`: to the forwarder. The others: to Socket.IO. */
export type Way = 'logged' | 'signal' | 'plain' | 'sealed' | AdapterName

export interface Publishing {
  readonly way: Way
  readonly users: readonly string[]
  readonly perSecond: number
  readonly ms: number
}

export interface Published {
  readonly sent: number
  readonly failed: number
  /** How much longer than planned it took. */
  readonly lateMs: number
}

export interface Publisher {
  connect(to: { readonly redisUrl: string; readonly key: Uint8Array }): Promise<void>
  publish(publishing: Publishing): Promise<Published>
}

type Send = (user: string, count: number) => Promise<unknown>

const GENERATION = 1
const BEAT_MS = 1

let ways: Readonly<Record<Way, Send>> | undefined
const counts = new Map<string, number>()

async function connect(redisUrl: string, key: Uint8Array): Promise<Readonly<Record<Way, Send>>> {
  const { fabric } = await openFabric(redisUrl, key)
  const redis = new Redis(redisUrl)
  const [sharded, streams] = await Promise.all([openEmitter('sharded', redisUrl), openEmitter('streams', redisUrl)])
  const boxOf = forwarderBox(key)
  const event = (way: 'logged' | 'signal', user: string, count: number) => ({
    header: { class: way, type: 'message', sid: sessionId(`s_${user}`) } as const,
    body: stampedBytes(user, count),
  })
  return {
    logged: (user, count) => fabric.bus.append(userId(user), event('logged', user, count), GENERATION),
    signal: (user, count) => fabric.bus.signal(userId(user), event('signal', user, count)),
    plain: (user, count) => redis.spublish(forwarderChannel(user), Buffer.from(stampedBytes(user, count))),
    sealed: (user, count) =>
      redis.spublish(
        forwarderChannel(user),
        Buffer.from(boxOf(user).seal(stampedBytes(user, count), SEALED_FOR_FORWARDER)),
      ),
    sharded: async (user, count) => sharded.emit(user, stampedFrame(user, count)),
    streams: async (user, count) => streams.emit(user, stampedFrame(user, count)),
  }
}

serve<Publisher>({
  async connect({ redisUrl, key }) {
    ways = await connect(redisUrl, key)
  },
  async publish({ way, users, perSecond, ms }) {
    const send = ways?.[way]
    if (!send) throw new Error('not connected')
    const all = Math.round((perSecond * ms) / 1_000)
    const start = performance.now()
    const outcomes: Promise<boolean>[] = []
    for (let sent = 0; sent < all; ) {
      const due = Math.min(all, Math.floor(((performance.now() - start) * perSecond) / 1_000))
      for (; sent < due; sent++) {
        const user = users[sent % users.length] ?? ''
        const count = (counts.get(user) ?? 0) + 1
        counts.set(user, count)
        outcomes.push(
          send(user, count).then(
            () => true,
            () => false,
          ),
        )
      }
      await pause(BEAT_MS)
    }
    const lateMs = performance.now() - start - ms
    const failed = (await Promise.all(outcomes)).filter((worked) => !worked).length
    return { sent: all, failed, lateMs }
  },
})
