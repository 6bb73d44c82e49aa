import { fileURLToPath } from 'node:url'
import { type MongoWire, startMongoWire } from '@chatbox/testkit/mongo-wire'
import { type RunningProcess, runNode } from '@chatbox/testkit/process'
import { expect } from 'vitest'
import { later } from '../distributed/scene.ts'
import { WRITES } from './faults.ts'
import { type Ring, ringEnv } from './ring.ts'
import type { Whole } from './scene.ts'

const ROTATE = fileURLToPath(new URL('../../../storage/dist/rotate.main.js', import.meta.url))

export interface Rotation {
  readonly process: RunningProcess
  readonly wire: MongoWire
}

/** The command that operators run, with `--values`. */
export async function startRotation({ backend, stores }: Whole, ring: Ring): Promise<Rotation> {
  const wire = await startMongoWire(stores.mongo.port)
  later(() => wire.close())
  const MONGODB_URI = `mongodb://127.0.0.1:${wire.port}/?directConnection=true`
  const env = { ...backend.env, ...ringEnv(ring), MONGODB_URI }
  return { process: runNode(ROTATE, { args: ['--values'], env, waitMs: 120_000 }), wire }
}

/** Dies when the database has done so many of its writes to this collection, before it hears of the last. */
export async function killedAfter(rotation: Rotation, collection: 'sessions' | 'messages', writes: number) {
  let done = 0
  rotation.wire.onReply(({ name, body }) => {
    if (!WRITES.has(name) || body[name] !== collection || ++done < writes) return undefined
    rotation.process.kill('SIGKILL')
    return 'cut'
  })
  expect(await rotation.process.exited).toEqual({ code: null, signal: 'SIGKILL' })
}

/** How it ended, and what it said last. */
export async function outcomeOf({ process: running }: Rotation) {
  const { code } = await running.exited
  const lines = running.output().split('\n')
  const reports = lines.flatMap((line) => (line.includes('"left":') ? [JSON.parse(line) as Report] : []))
  const report = reports.at(-1)
  if (!report) throw new Error(`the rotation said nothing:\n${running.output()}`)
  return { code, report }
}

interface Report {
  readonly rewrapped: number
  readonly resealed: number
  readonly finished: number
  readonly unopenable: number
  readonly left: number
  readonly waitUntil?: string
}
