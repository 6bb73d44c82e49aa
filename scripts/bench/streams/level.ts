import { setTimeout as pause } from 'node:timers/promises'
import type { Child } from '../lib/child.ts'
import { busyMs } from '../lib/machine.ts'
import { cpuMs } from '../lib/process-cost.ts'
import { median } from '../lib/quantile.ts'
import type { FakeModel } from './load/fake.ts'
import type { Listeners } from './load/listeners.ts'
import type { Delays } from './tally.ts'

/** One way from the provider to clients. */
export interface Way {
  readonly name: string
  readonly listeners: Child<Listeners>
  /** What its processor time is counted of, by name. */
  readonly processes: Readonly<Record<string, readonly number[]>>
}

export interface Load {
  readonly rounds: number
  readonly roundMs: number
  /** Streams begin at this rate. */
  readonly beginPerSecond: number
}

/** So many streams at once. Medians of the rounds, and the range. */
export interface Level {
  readonly streams: number
  /** Milliseconds from the provider to the client. */
  readonly p50: number
  readonly p99: number
  readonly p99s: readonly number[]
  readonly first: Delays
  readonly tokensPerSecond: number
  readonly tokensPerFrame: number
  /** Processor milliseconds per 1 000 tokens, by the names of the processes. */
  readonly cost: Readonly<Record<string, number>>
  /** Shares of one processor. */
  readonly share: Readonly<Record<string, number>>
  /** Share of all processors that was in use, by whomever. */
  readonly machine: number
  readonly broken: number
}

interface Round {
  readonly p50: number
  readonly p99: number
  readonly tokens: number
  readonly frames: number
  readonly ms: number
  readonly cpu: Readonly<Record<string, number>>
  readonly machine: number
}

const SETTLE_MS = 2_000
/** For what the ends of all of them leave to be done. */
const CALM_MS = 2_000

/** Undefined where not all streams could be begun. */
export async function measureLevel(
  { listeners, processes }: Way,
  fake: Child<FakeModel>,
  streams: number,
  { rounds, roundMs, beginPerSecond }: Load,
): Promise<Level | undefined> {
  const counted = { ...processes, provider: [fake.pid], clients: [listeners.pid] }
  const speak = await listeners.ask('begin', { streams, perSecond: beginPerSecond })
  const first = await listeners.ask('firsts', undefined)
  const measured: Round[] = []
  if (speak) {
    await pause(SETTLE_MS)
    for (let i = 0; i < rounds; i++) measured.push(await round(listeners, counted, roundMs))
  }
  await fake.ask('finish', undefined)
  const { broken } = await listeners.ask('over', undefined)
  await pause(CALM_MS)
  if (!speak) return undefined
  const of = (value: (round: Round) => number) => median(measured.map(value))
  const each = (value: (round: Round, name: string) => number) =>
    Object.fromEntries(Object.keys(counted).map((name) => [name, of((its) => value(its, name))]))
  return {
    streams,
    p50: of(({ p50 }) => p50),
    p99: of(({ p99 }) => p99),
    p99s: measured.map(({ p99 }) => p99),
    first,
    tokensPerSecond: of(({ tokens, ms }) => (tokens * 1_000) / ms),
    tokensPerFrame: of(({ tokens, frames }) => tokens / frames),
    cost: each(({ cpu, tokens }, name) => ((cpu[name] ?? 0) * 1_000) / tokens),
    share: each(({ cpu, ms }, name) => (cpu[name] ?? 0) / ms),
    machine: of(({ machine }) => machine),
    broken,
  }
}

async function round(listeners: Child<Listeners>, counted: Way['processes'], roundMs: number): Promise<Round> {
  const used = () =>
    Object.fromEntries(
      Object.entries(counted).map(([name, pids]) => [name, pids.reduce((sum, pid) => sum + cpuMs(pid), 0)]),
    )
  await listeners.ask('mark', undefined)
  const [before, busy, from] = [used(), busyMs(), performance.now()]
  await pause(roundMs)
  const heard = await listeners.ask('heard', undefined)
  const [ms, after, busyAfter] = [performance.now() - from, used(), busyMs()]
  return {
    ...heard,
    ms,
    cpu: Object.fromEntries(Object.keys(after).map((name) => [name, (after[name] ?? 0) - (before[name] ?? 0)])),
    machine: (busyAfter.busy - busy.busy) / (busyAfter.all - busy.all),
  }
}

/** The most streams, in steps of `step`, for which `holds`; `good` and `bad` are known already. */
export async function highest(
  good: number,
  bad: number | undefined,
  step: number,
  most: number,
  holds: (streams: number) => Promise<boolean>,
): Promise<number> {
  let [low, high] = [good, bad ?? Math.min(most, good * 2)]
  if (bad === undefined) {
    while (await holds(high)) {
      low = high
      if (high >= most) return high
      high = Math.min(most, high * 2)
    }
  }
  while (high - low > step) {
    const middle = Math.round((low + high) / 2 / step) * step
    if (middle <= low || middle >= high) break
    if (await holds(middle)) low = middle
    else high = middle
  }
  return low
}
