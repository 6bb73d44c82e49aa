import { setTimeout as pause } from 'node:timers/promises'
import { type RunningServer, startMongo } from '@chatbox/testkit/servers'
import { expect } from 'vitest'
import { later } from '../distributed/scene.ts'
import { alive, type StorageProcess } from './backend.ts'
import type { Whole } from './scene.ts'

type Patience = { readonly timeout: number; readonly interval: number }

/** Those that are there; a killed one is replaced by a new one. */
const living = ({ backend }: Whole): StorageProcess[] => backend.storages.filter(({ process: { pid } }) => alive(pid))

function someStorage(it: Whole): StorageProcess {
  const all = living(it)
  const storage = all[Math.floor(Math.random() * all.length)]
  if (!storage) throw new Error('no replica of storage is left')
  return storage
}

async function replaced(it: Whole, { process: running }: StorageProcess): Promise<void> {
  expect(await running.exited).toEqual({ code: null, signal: 'SIGKILL' })
  await it.backend.startStorage()
}

/** The rows are written, and nobody has been told: the reply to the insert is the last thing that the process would have read. */
export async function killBetweenWriteAndAnnouncement(it: Whole): Promise<void> {
  const storage = someStorage(it)
  storage.wires.mongo.onReply(({ name, body }) => {
    if (name !== 'insert' || body.insert !== 'messages') return undefined
    storage.process.kill('SIGKILL')
    return 'cut'
  })
  await replaced(it, storage)
}

/** What was announced stays in the log, because its removal has not reached the queue. */
export async function killBetweenAnnouncementAndRemoval(it: Whole, patience: Patience): Promise<void> {
  const storage = someStorage(it)
  const written = new Set<string>()
  storage.wires.mongo.onReply(({ name, body }) => {
    if (name !== 'insert' || body.insert !== 'messages') return undefined
    for (const { cmid } of body.documents) if (typeof cmid === 'string') written.add(cmid)
    storage.wires.queue.freeze('to-server')
    return undefined
  })
  const told = () => it.roamers.some(({ accepted }) => [...written].some((id) => accepted.has(id)))
  await expect.poll(told, patience).toBe(true)
  storage.process.kill('SIGKILL')
  storage.wires.queue.thaw()
  await replaced(it, storage)
}

export async function killAtRandom(it: Whole): Promise<void> {
  await pause(Math.random() * 1_000)
  const storage = someStorage(it)
  storage.process.kill('SIGKILL')
  await replaced(it, storage)
}

/** It goes on where it was, long after its partitions have another owner (fault 31). */
export async function stopPastItsLease(it: Whole, patience: Patience): Promise<void> {
  const storage = someStorage(it)
  storage.process.kill('SIGSTOP')
  try {
    await expect.poll(async () => Math.max(...(await it.backend.leases.replicas()).values()), patience).toBe(64)
    const before = it.roamers.reduce((sum, roamer) => sum + roamer.accepted.size, 0)
    await expect
      .poll(() => it.roamers.reduce((sum, roamer) => sum + roamer.accepted.size, 0), patience)
      .toBeGreaterThan(before + 10)
  } finally {
    storage.process.kill('SIGCONT')
  }
}

export async function killTheDatabase(it: Whole, awayMs: number): Promise<RunningServer> {
  const { port, dir } = it.stores.mongo
  await it.stores.mongo.kill()
  await pause(awayMs)
  const again = await startMongo({ port, dir })
  later(() => again.stop())
  return again
}

/** The database has done what was asked, and nobody hears of it (fault 15). */
export async function cutReplies(it: Whole, count: number, patience: Patience): Promise<void> {
  let cut = 0
  for (const { wires } of living(it)) {
    wires.mongo.onReply(({ name }) => {
      if (!WRITES.has(name) || cut >= count || Math.random() < 0.5) return undefined
      cut += 1
      return 'cut'
    })
  }
  await expect.poll(() => cut, patience).toBe(count)
}

export const WRITES: ReadonlySet<string> = new Set(['insert', 'update', 'findAndModify', 'bulkWrite'])

/** Every write of storage was asked to be in the journals of a majority (P1). */
export function expectDurableWrites({ backend }: Whole): void {
  const writes = backend.storages.flatMap(({ wires }) => wires.mongo.commands.filter(({ name }) => WRITES.has(name)))
  expect(writes.length).toBeGreaterThan(100)
  const lazy = writes.filter(({ body }) => body.writeConcern?.w !== 'majority' || body.writeConcern?.j !== true)
  expect(lazy.map(({ name, body }) => ({ name, of: body[name], writeConcern: body.writeConcern }))).toEqual([])
}
