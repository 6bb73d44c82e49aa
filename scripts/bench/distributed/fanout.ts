import { setTimeout as pause } from 'node:timers/promises'
import { type Child, startChild } from '../lib/child.ts'
import { becomes } from '../lib/clock.ts'
import { cpuMs } from '../lib/process-cost.ts'
import type { Publisher, Way } from './load/publisher.ts'
import type { SteadyClients } from './load/steady.ts'
import { type Program, type System, targetOf } from './system.ts'

/** One way of getting events to sockets; users are shared out among its servers. */
export interface Subject {
  readonly name: string
  readonly way: Way
  readonly servers: readonly Program[]
}

export interface FanoutLoad {
  readonly users: number
  readonly perSecond: number
  readonly roundMs: number
  readonly rounds: number
}

export interface Round {
  readonly published: number
  readonly events: number
  /** Processor time of all servers, and of Redis, per event that came. */
  readonly serverUs: number
  readonly redisUs: number
  readonly p50: number
  readonly p99: number
}

export interface SubjectResult {
  readonly name: string
  readonly rounds: readonly Round[]
}

interface Ready extends Subject {
  readonly users: readonly string[]
  readonly clients: Child<SteadyClients>
}

const WARM_UP_MS = 3_000
const ALL_THERE_WITHIN_MS = 5_000

/** All are up and full the whole time, and take turns, so that what else the machine does falls on all of them alike. */
export async function measureFanout(
  system: System,
  subjects: readonly Subject[],
  load: FanoutLoad,
): Promise<SubjectResult[]> {
  const publisher = startChild<Publisher>('distributed/load/publisher.js')
  const ready: Ready[] = []
  try {
    await publisher.ask('connect', { redisUrl: system.redis.url, key: system.key })
    for (const [i, subject] of subjects.entries()) ready.push(await fill(system, subject, `s${i}`, load.users))
    const rounds = new Map<Ready, Round[]>(ready.map((subject) => [subject, []]))
    for (const subject of ready) await runRound(system, publisher, subject, { ...load, roundMs: WARM_UP_MS })
    for (let i = 0; i < load.rounds; i++) {
      for (const subject of ready) rounds.get(subject)?.push(await runRound(system, publisher, subject, load))
    }
    return [...rounds].map(([{ name }, its]) => ({ name, rounds: its }))
  } finally {
    publisher.stop()
    for (const { clients } of ready) clients.stop()
  }
}

async function fill({ secret }: System, subject: Subject, prefix: string, count: number): Promise<Ready> {
  const clients = startChild<SteadyClients>('distributed/load/steady.js')
  const users = Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
  for (const [i, server] of subject.servers.entries()) {
    const own = users.filter((_, at) => at % subject.servers.length === i)
    await clients.ask('open', { ...targetOf(server), users: own, secret })
  }
  return { ...subject, users, clients }
}

async function runRound(
  { redis }: System,
  publisher: Child<Publisher>,
  { way, users, servers, clients }: Ready,
  { perSecond, roundMs }: FanoutLoad,
): Promise<Round> {
  const serversMs = () => servers.reduce((sum, { pid }) => sum + cpuMs(pid), 0)
  const redisMs = () => (redis.pid === undefined ? Number.NaN : cpuMs(redis.pid))
  await clients.ask('mark', undefined)
  const before = { servers: serversMs(), redis: redisMs() }
  const { sent, failed } = await publisher.ask('publish', { way, users, perSecond, ms: roundMs })
  await becomes(async () => (await clients.ask('count', undefined)) >= sent - failed, ALL_THERE_WITHIN_MS)
  const used = { servers: serversMs() - before.servers, redis: redisMs() - before.redis }
  const { events, p50, p99 } = await clients.ask('received', undefined)
  // What comes twice would come about now.
  await pause(50)
  const serverUs = (used.servers * 1_000) / events
  return { published: sent, events, serverUs, redisUs: (used.redis * 1_000) / events, p50, p99 }
}
