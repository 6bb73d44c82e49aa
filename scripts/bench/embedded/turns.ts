import { setTimeout as pause } from 'node:timers/promises'
import { cpuMs } from '../lib/process-cost.ts'
import { type Device, openDevice, type Turn } from './device.ts'
import type { Program } from './programs.ts'

/** So many users, each of whom sends a message every so often, and waits for the answer's end before the next. */
export interface Level {
  readonly users: number
  readonly everyMs: number
  readonly roundMs: number
}

export interface LevelResult {
  readonly rounds: readonly (readonly Turn[])[]
  readonly failures: readonly string[]
  readonly perSecond: number
  readonly cpuMsPerMessage: number
  /** The share of one processor that the server had. */
  readonly busy: number
}

const ROUNDS = 3
const TEXT = 'Hello, could you tell me how the second plan differs from the first, and what moving over would cost?'

export async function measureTurns(program: Program, { users, everyMs, roundMs }: Level): Promise<LevelResult> {
  const devices: Device[] = []
  for (let i = 0; i < users; i++) devices.push(await openDevice(program, `user-${users}-${i}`))
  const failures: string[] = []
  /** Sends at its beats until the time is up; a beat that finds the last answer unfinished is left out. */
  async function talk(device: Device, until: number, turns: Turn[]): Promise<void> {
    let beat = performance.now() + Math.random() * everyMs
    while (beat < until) {
      await pause(Math.max(0, beat - performance.now()))
      try {
        turns.push(await device.say(TEXT))
      } catch (error) {
        failures.push((error as Error).message)
        return
      }
      while (beat <= performance.now()) beat += everyMs
    }
  }
  async function round(ms: number): Promise<Turn[]> {
    const turns: Turn[] = []
    const until = performance.now() + ms
    await Promise.all(devices.map((device) => talk(device, until, turns)))
    return turns
  }

  // The first messages of each user make keys, open statements and are compiled; they are not counted.
  await round(Math.max(everyMs, roundMs / 2))
  const [cpuBefore, timeBefore] = [cpuMs(program.pid), performance.now()]
  const rounds: Turn[][] = []
  for (let i = 0; i < ROUNDS; i++) rounds.push(await round(roundMs))
  const [cpu, time] = [cpuMs(program.pid) - cpuBefore, performance.now() - timeBefore]
  for (const device of devices) device.cut()

  const messages = rounds.flat().length
  return {
    rounds,
    failures,
    perSecond: messages / (time / 1_000),
    cpuMsPerMessage: cpu / messages,
    busy: cpu / time,
  }
}
