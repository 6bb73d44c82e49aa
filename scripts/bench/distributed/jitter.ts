import { startChild } from '../lib/child.ts'
import { becomes } from '../lib/clock.ts'
import { cpuMs } from '../lib/process-cost.ts'
import type { Jittered, JitteryClients } from './load/jittery.ts'
import type { Publisher } from './load/publisher.ts'
import { type Program, type System, targetOf } from './system.ts'

export interface JitterLoad {
  readonly clients: number
  readonly everyMs: number
  readonly awayMs: number
  readonly perSecond: number
  readonly ms: number
  readonly resume: boolean
}

export interface JitterResult extends Jittered {
  readonly published: number
  readonly failed: number
  /** Of one processor, all edges together. */
  readonly edgesBusy: number
}

const ALL_THERE_WITHIN_MS = 10_000

/** Clients that break off and come back, to one edge or another, while their events flow. */
export async function measureJitter(
  { redis, secret, key }: System,
  edges: readonly Program[],
  load: JitterLoad,
): Promise<JitterResult> {
  const clients = startChild<JitteryClients>('distributed/load/jittery.js')
  const publisher = startChild<Publisher>('distributed/load/publisher.js')
  const users = Array.from({ length: load.clients }, (_, i) => `${clients.pid}-${i}`)
  const edgesMs = () => edges.reduce((sum, { pid }) => sum + cpuMs(pid), 0)
  try {
    await publisher.ask('connect', { redisUrl: redis.url, key })
    await clients.ask('come', { ...load, targets: edges.map(targetOf), users, secret })
    await clients.ask('begin', undefined)
    const before = edgesMs()
    const { sent, failed } = await publisher.ask('publish', { way: 'logged', users, ...load })
    const edgesBusy = (edgesMs() - before) / load.ms
    await clients.ask('calm', undefined)
    const all = sent - failed
    if (load.resume) await becomes(async () => (await clients.ask('delivered', undefined)) >= all, ALL_THERE_WITHIN_MS)
    const report = await clients.ask('report', undefined)
    return { ...report, published: sent, failed, edgesBusy }
  } finally {
    clients.stop()
    publisher.stop()
  }
}
