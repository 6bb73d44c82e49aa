import { setTimeout as pause } from 'node:timers/promises'
import {
  DEFAULT_PARTITIONS,
  newSession,
  partitionOf,
  type SessionId,
  sessionId,
  type UserId,
  userId,
} from '@chatbox/core'
import { type Child, startChild } from '../lib/child.ts'
import { becomes } from '../lib/clock.ts'
import { cpuMs } from '../lib/process-cost.ts'
import { quantile } from '../lib/quantile.ts'
import type { Asker } from './asker.ts'
import type { Baseline, Way } from './baseline.ts'
import { type Message, newMessage } from './messages.ts'
import type { StorageProcess, Stores } from './stores.ts'

/** Messages that a model answers; of sessions in which a person helps, where no model does; and the first ones of their sessions. */
export type Kind = 'answered' | 'unanswered' | 'fresh'

export interface Load {
  /** Of a round, each of another user. */
  readonly messages: number
  readonly inFlight: number
  readonly roundMs: number
}

export interface Round {
  readonly accepted: number
  readonly failed: number
  /** Processor time per accepted message, of all processes of the subject together. */
  readonly cpuUs: number
  readonly p50: number
  readonly p99: number
  readonly perSecond: number
}

/** Takes turns with the others. */
export interface Subject {
  readonly name: string
  round(): Promise<Round>
}

interface Talk {
  readonly uid: UserId
  readonly sid: SessionId
}

const MODEL = 'model'
/** It is done with so soon that a round of as many would be a few ticks of the clock. */
const BASELINE_TIMES = 5
const SHARED_WITHIN_MS = 60_000

/** Everybody's session is there before the first message, as it is for all but the first of each session. */
export async function talksFor({ conversations }: Stores, asker: Asker, kind: Kind, count: number): Promise<Talk[]> {
  const talks = Array.from({ length: count }, (_, i) => ({
    uid: userId(`${kind}-${i}`),
    sid: sessionId(`session-${kind}-${i}`),
  }))
  await asker.listenFor(talks.map(({ uid }) => uid))
  if (kind === 'fresh') return talks
  await Promise.all(
    talks.map(({ uid, sid }) =>
      conversations.createSession({
        ...newSession(sid, uid, partitionOf(uid, DEFAULT_PARTITIONS), MODEL, Date.now()),
        ...(kind === 'unanswered' && { adminAssisted: true, assistingAdminName: 'Somebody' }),
      }),
    ),
  )
  return talks
}

let begun = 0

export function storageSubject(
  name: string,
  { asker, kind, talks, load }: { asker: Asker; kind: Kind; talks: readonly Talk[]; load: Load },
  replicas: readonly StorageProcess[],
): Subject {
  const usedMs = () => replicas.reduce((sum, { pid }) => sum + cpuMs(pid), 0)
  const next = ({ uid, sid }: Talk): Message =>
    kind === 'fresh' ? newMessage(uid, sessionId(`session-begun-${++begun}`), true) : newMessage(uid, sid, false)
  return {
    name,
    async round() {
      const before = usedMs()
      const { accepted, failed, delays, ms } = await asker.send(talks.map(next), {
        inFlight: load.inFlight,
        ms: load.roundMs,
      })
      const cpuUs = ((usedMs() - before) * 1_000) / accepted
      // Otherwise the next ones would wait for these in their sessions. Ends are none of what is measured.
      await asker.endAnswers(load.inFlight)
      const [p50, p99] = [quantile(delays, 0.5), quantile(delays, 0.99)]
      return { accepted, failed, cpuUs, p50, p99, perSecond: (accepted * 1_000) / ms }
    },
  }
}

/** Batches of half of what is in flight, two at once: as much is under way as with storage. */
export function baselineSubject(name: string, baseline: Child<Baseline>, way: Way, load: Load): Subject {
  const batches = {
    way,
    messages: load.messages * BASELINE_TIMES,
    batch: Math.ceil(load.inFlight / 2),
    ms: load.roundMs,
  }
  return {
    name,
    async round() {
      await baseline.ask('prepare', batches)
      const [before, from] = [cpuMs(baseline.pid), performance.now()]
      const { accepted, p50, p99 } = await baseline.ask('run', batches)
      const ms = performance.now() - from
      const cpuUs = ((cpuMs(baseline.pid) - before) * 1_000) / accepted
      return { accepted, failed: 0, cpuUs, p50, p99, perSecond: (accepted * 1_000) / ms }
    },
  }
}

export async function startBaseline({ addresses }: Stores): Promise<Child<Baseline>> {
  const baseline = startChild<Baseline>('ingest/baseline.js')
  await baseline.ask('connect', addresses)
  return baseline
}

/** Each replica has its share of the partitions. */
export async function shared({ leases }: Stores, replicas: number): Promise<void> {
  const fair = await becomes(async () => {
    const held = [...(await leases.replicas()).values()]
    return held.length === replicas && held.every((count) => count === DEFAULT_PARTITIONS / replicas)
  }, SHARED_WITHIN_MS)
  if (!fair) throw new Error(`the partitions were not shared among ${replicas} in ${SHARED_WITHIN_MS / 1_000} s`)
}

/** Processor milliseconds in a second in which nobody asks for anything. */
export async function idleMs(replicas: readonly StorageProcess[], forMs: number): Promise<number> {
  const used = () => replicas.reduce((sum, { pid }) => sum + cpuMs(pid), 0)
  const [before, from] = [used(), performance.now()]
  await pause(forMs)
  return ((used() - before) * 1_000) / (performance.now() - from)
}
