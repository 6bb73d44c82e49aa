import { startWire, type Wire } from '@chatbox/testkit/network'
import { expect } from 'vitest'
import { later } from '../distributed/scene.ts'
import { type Asked, allShow, ask } from './asked.ts'
import type { WorkerProcess } from './backend.ts'
import { type Narrator, startNarrator, type Told, type Vendor } from './narrator.ts'
import { type Whole, type WholeOptions, whole } from './scene.ts'

/** How far an answer has come, in pieces, when something happens to its worker, and how far the next attempt when the first worker is back. */
export interface Stage {
  readonly at: number
  /** Without it the next attempt goes through to its end. */
  readonly heirAt?: number
  readonly vendor?: Vendor
}

/** By the names of their questions. */
export type Stages = Readonly<Record<string, Stage>>

export const PIECES = 40

export interface Busy extends WorkerProcess {
  readonly asked: readonly Asked[]
}

export interface Staged {
  readonly all: Whole
  readonly narrator: Narrator
  /** The request of this number, from 1, for an answer. */
  toldOf(asked: Asked, nth: number): Told
  /** Devices show what a request has come to. */
  hasCome(asked: Asked, nth: number, pieces: number): boolean
  /** The next attempts have come as far as they were to come. */
  heirsHaveCome(asked: readonly Asked[]): boolean
  /** A worker with as many places as there are questions for it, each of which is answered up to its stage. */
  busy(name: string, stages: Stages, env?: NodeJS.ProcessEnv): Promise<Busy>
  /** Questions for whoever has places, answered up to their stages. */
  asked(stages: Stages): Promise<readonly Asked[]>
  /** A way to the queue that can be cut off, and what a worker has to be told to take it. */
  wireToQueue(): Promise<{ readonly wire: Wire; readonly env: NodeJS.ProcessEnv }>
}

/** The whole system without workers, and vendors that hold each answer at its stage. */
export async function staged(
  stages: Stages,
  { patience, clockScale }: Pick<WholeOptions, 'patience' | 'clockScale'>,
): Promise<Staged> {
  function stageOf(question: string): Stage {
    const stage = stages[question]
    if (!stage) throw new Error(`nobody has planned ${question}`)
    return stage
  }
  const narrator = await startNarrator(({ question, nth }) => {
    const { at, heirAt } = stageOf(question)
    const holdAt = nth === 1 ? at : heirAt
    return { pieces: PIECES, ...(holdAt !== undefined && { holdAt }) }
  })
  later(() => narrator.stop())
  const all = await whole({
    roamers: 8,
    clockScale,
    patience,
    workers: 0,
    models: narrator.models,
    // Held for longer than vendors may hold anybody.
    env: { LLM_FIRST_TOKEN_TIMEOUT: '5m', LLM_IDLE_TIMEOUT: '5m' },
  })

  function toldOf({ name }: Asked, nth: number): Told {
    const told = narrator.told(name)[nth - 1]
    if (!told) throw new Error(`nobody has asked for ${name} ${nth} times`)
    return told
  }
  const hasCome = (asked: Asked, nth: number, pieces: number): boolean =>
    narrator.told(asked.name).length >= nth && allShow(all, asked, toldOf(asked, nth).upTo(pieces))

  async function askAll(own: Stages): Promise<readonly Asked[]> {
    const accepted = await Promise.all(
      Object.entries(own).map(([name, { vendor }], i) => {
        const roamer = all.roamers[i % all.roamers.length]
        if (!roamer) throw new Error('there is nobody to ask')
        return ask(roamer, name, vendor && { vendor })
      }),
    )
    await expect.poll(() => accepted.every((one) => hasCome(one, 1, stageOf(one.name).at)), patience).toBe(true)
    return accepted
  }

  return {
    all,
    narrator,
    toldOf,
    hasCome,
    heirsHaveCome: (asked) => asked.every((one) => hasCome(one, 2, stageOf(one.name).heirAt ?? PIECES)),
    asked: askAll,
    async busy(name, own, env = {}) {
      const places = { WORKER_CONCURRENCY: String(Object.keys(own).length) }
      const worker = await all.backend.startWorker({ ...narrator.keysOf(name), ...places, ...env })
      const accepted = await askAll(own)
      expect(accepted.map((one) => toldOf(one, 1).worker)).toEqual(accepted.map(() => name))
      return { ...worker, asked: accepted }
    },
    async wireToQueue() {
      const wire = await startWire(all.stores.queue.port)
      later(() => wire.close())
      return { wire, env: { REDIS_QUEUE_URL: `redis://127.0.0.1:${wire.port}` } }
    },
  }
}
