import { setTimeout as pause } from 'node:timers/promises'
import { type Child, startChild } from '../lib/child.ts'
import { becomes, sharedNow } from '../lib/clock.ts'
import { cpuMs } from '../lib/process-cost.ts'
import type { Returned, ReturningClients } from './load/returning.ts'
import { type Program, type System, targetOf } from './system.ts'

export interface Trial {
  readonly clients: number
  readonly spread: boolean
  /** The clients' tokens were seen by the server that they come back to. */
  readonly warm: boolean
  start(): Promise<Program>
  /** Where they come back to. */
  startOther(): Promise<Program>
}

export interface TrialResult extends Returned {
  readonly never: number
  /** Processor time of the server that they came back to, for each. */
  readonly cpuUsEach: number
}

const NEVER_AFTER_MS = 60_000
const GONE_MS = 3_000

/** One server is killed with all its clients on it, and another one is there. */
export async function runTrial({ secret }: System, trial: Trial): Promise<TrialResult> {
  const clients: Child<ReturningClients> = startChild('distributed/load/returning.js')
  const [dying, other] = await Promise.all([trial.start(), trial.startOther()])
  // Of this trial alone: nothing that Redis still has of an earlier one is theirs.
  const users = Array.from({ length: trial.clients }, (_, i) => `${dying.pid}-${i}`)
  try {
    if (trial.warm) {
      await clients.ask('come', { ...targetOf(other), users, secret })
      await clients.ask('leave', undefined)
      await pause(GONE_MS)
    }
    await clients.ask('come', { ...targetOf(dying), users, secret })
    await clients.ask('returning', { to: targetOf(other), spread: trial.spread })
    const before = cpuMs(other.pid)
    const killedAt = sharedNow()
    await dying.kill()
    await becomes(async () => (await clients.ask('count', undefined)) >= trial.clients, NEVER_AFTER_MS, 100)
    const cpu = cpuMs(other.pid) - before
    const returned = await clients.ask('returned', killedAt)
    return { ...returned, never: trial.clients - returned.back, cpuUsEach: (cpu * 1_000) / trial.clients }
  } finally {
    clients.stop()
    await Promise.all([dying.kill(), other.kill()])
  }
}
