import { setTimeout as pause } from 'node:timers/promises'
import type { Turn } from '@chatbox/core'
import { type RunningServer, startMongo } from '@chatbox/testkit/servers'
import { Redis } from 'ioredis'
import { expect } from 'vitest'
import { later } from '../distributed/scene.ts'
import type { StorageProcess } from './backend.ts'
import { unsettledTurns, type Whole, type WholeOptions } from './scene.ts'
import { living } from './witness.ts'

type Patience = WholeOptions['patience']

function someStorage(it: Whole): StorageProcess {
  const all = living(it)
  const storage = all[Math.floor(Math.random() * all.length)]
  if (!storage) throw new Error('no replica of storage is left')
  return storage
}

/** A killed one has another in its place. */
export async function replaced(it: Whole, { process: running }: StorageProcess): Promise<void> {
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

export async function killTheDatabase(it: Whole, awayMs: number): Promise<RunningServer> {
  const { port, dir } = it.stores.mongo
  await it.stores.mongo.kill()
  await pause(awayMs)
  const again = await startMongo({ port, dir })
  later(() => again.stop())
  return again
}

/**
 * The queue comes back with nothing, when answers are queued that nobody has begun (fault 8). Their questions have been told and their
 * entries are done with, so it is the sweeper's to have them answered (R17).
 */
export async function emptyTheQueue(it: Whole, patience: Patience): Promise<void> {
  const { conversations } = it.backend
  const queued = async () =>
    (await unsettledTurns(it)).filter(({ answer }) => answer?.due !== undefined && answer.attempt === 0)
  const queue = new Redis({ host: '127.0.0.1', port: it.stores.queue.port })
  later(async () => queue.disconnect())
  const workers = it.backend.workers.map(({ process: running }) => running)
  for (const worker of workers) worker.kill('SIGSTOP')
  let lost: Turn[] = []
  const look = async () => {
    lost = await queued()
    return lost.length
  }
  try {
    await expect.poll(look, patience).toBeGreaterThan(5)
    await queue.flushall()
  } finally {
    for (const worker of workers) worker.kill('SIGCONT')
  }
  const left = async () => {
    const turns = await Promise.all(lost.map(({ sid, seq }) => conversations.turn(sid, seq)))
    return turns.filter((turn) => turn?.answer?.status === 'pending').length
  }
  await expect.poll(left, patience).toBe(0)
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
