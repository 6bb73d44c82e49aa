import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** What another process costs, as Linux tells it. */
export interface ProcessMemory {
  /** All that is in memory, the program's own code included. */
  readonly rssKiB: number
  /** What no other process shares. */
  readonly privateKiB: number
}

export const hasProcessCosts = existsSync('/proc/self/smaps_rollup')

/** A clock tick is 10 ms wherever Linux runs on what people use. */
const TICK_MS = 10

/** Processor time since its start, in user mode and in the kernel. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name, which may hold anything, ends with the last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

export function memoryOf(pid: number): ProcessMemory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return { rssKiB: sum(rollup, /^Rss:\s+(\d+)/gm), privateKiB: sum(rollup, /^Private_\w+:\s+(\d+)/gm) }
}

const sum = (text: string, line: RegExp): number =>
  [...text.matchAll(line)].reduce((total, [, kib]) => total + Number(kib), 0)

/** Settled is what has changed by less than this for so long. */
const STEADY_SHARE = 0.003
const STEADY_MS = 6_000
const LONGEST_SETTLE_MS = 20_000
const LOOK_EVERY_MS = 500

/** Nobody tells the server to collect its garbage: whatever it keeps by itself counts. */
export async function settled(pid: number): Promise<ProcessMemory> {
  const end = performance.now() + LONGEST_SETTLE_MS
  let [from, since] = [memoryOf(pid), performance.now()]
  while (performance.now() < end && performance.now() - since < STEADY_MS) {
    await pause(LOOK_EVERY_MS)
    const now = memoryOf(pid)
    if (Math.abs(now.rssKiB - from.rssKiB) > from.rssKiB * STEADY_SHARE) [from, since] = [now, performance.now()]
  }
  return memoryOf(pid)
}

/** So many files, sockets among them, may this process have open; Node has raised it to what the system allows. */
export function openFilesLimit(): number {
  const [, soft = ''] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
}
