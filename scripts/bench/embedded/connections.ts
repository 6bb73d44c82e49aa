import { setTimeout as pause } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { cpuMs, memoryOf, type ProcessMemory, settled } from '../lib/process-cost.ts'
import { openSocket } from './device.ts'
import { type Inspector, openInspector } from './inspector.ts'
import type { Program } from './programs.ts'

export interface Idle {
  readonly connections: number
  readonly memory: Memory
  /** Processor time of the server for opening one. */
  readonly cpuUsEach: number
}

export interface Memory extends ProcessMemory {
  /** Known only where garbage is collected. */
  readonly heapKiB?: number
}

const WARM_UP = 2_000
const OPENED_AT_ONCE = 50
/** Until what was opened or closed last is done with, or freed memory is given back. */
const CALM_MS = 1_000

/** Memory with none, then with so many idle connections, each of another user who has said hello. */
export async function measureIdle(program: Program, counts: readonly number[]): Promise<Idle[]> {
  const inspector = program.inspector === undefined ? undefined : await openInspector(program.inspector)
  const look = (): Promise<Memory> => (inspector ? collected(program.pid, inspector) : settled(program.pid))
  // The heap grows once with the work of opening; that is not to count as the connections' own.
  const early = await open(program, WARM_UP, 'early')
  await Promise.all(early.map(ended))

  const sockets: WebSocket[] = []
  const idle: Idle[] = [{ connections: 0, memory: await look(), cpuUsEach: Number.NaN }]
  for (const connections of counts) {
    const cpuBefore = cpuMs(program.pid)
    const more = connections - sockets.length
    sockets.push(...(await open(program, more, `of-${connections}`)))
    const cpu = cpuMs(program.pid) - cpuBefore
    idle.push({ connections, memory: await look(), cpuUsEach: (cpu * 1_000) / more })
  }
  for (const socket of sockets) socket.terminate()
  inspector?.close()
  return idle
}

async function open(program: Program, count: number, name: string): Promise<WebSocket[]> {
  const sockets: WebSocket[] = []
  let asked = 0
  const opener = async () => {
    while (asked < count) sockets.push(await openSocket(program, `${name}-${asked++}`))
  }
  await Promise.all(Array.from({ length: OPENED_AT_ONCE }, opener))
  return sockets
}

function ended(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve())
    socket.close()
  })
}

/** What is held on to, and nothing else. */
async function collected(pid: number, inspector: Inspector): Promise<Memory> {
  await pause(CALM_MS)
  const heapKiB = await inspector.collect()
  await pause(CALM_MS)
  return { ...memoryOf(pid), heapKiB }
}
