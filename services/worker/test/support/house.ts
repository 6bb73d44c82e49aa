import { createHash, randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Answer,
  type AnswerId,
  type AnswerLimits,
  type AnswerRef,
  answerDoneEvent,
  type Conversations,
  clientMessageId,
  decodeEntry,
  defaultAnswerLimits,
  type EntryBody,
  type EntryOf,
  emptyTotals,
  type Fabric,
  newSession,
  planSend,
  replicaId,
  type SessionId,
  sessionId,
  type Turn,
  type UserId,
  userId,
} from '@chatbox/core'
import { createKeyring, sealedConversations, sealedFabric } from '@chatbox/crypto'
import { type MemoryFabric, type MemoryOptions, memoryFabric } from '@chatbox/memory'
import type { ServerFrame } from '@chatbox/protocol'
import { createLogger, createMetrics, type Part } from '@chatbox/runtime'
import { openSqlite } from '@chatbox/sqlite'
import { temporaryFolder } from '@chatbox/testkit/folders'
import { createWorker, type Model, type WorkerBounds, type WorkerTimes, workerMetrics } from '@chatbox/worker'
import { onTestFinished } from 'vitest'
import { type WatchedAnswers, watchedAnswers } from './answers.ts'
import { type ScriptedProvider, scriptedProvider } from './provider.ts'

const PARTITION = 3

/** Short where a test waits for them, long where it must not. */
const TIMES: Partial<WorkerTimes> = {
  tickMs: 10,
  cancelPollMs: 20_000,
  retryMs: 5,
  maxRetryMs: 40,
  finishMs: 50,
  awayMs: 5_000,
}

export interface Asked extends AnswerRef {
  readonly turn: Turn
}

export interface Device {
  readonly frames: readonly ServerFrame[]
  /** The first frame that this holds for, now or when it comes. */
  frame(holds: (frame: ServerFrame) => boolean): Promise<ServerFrame>
  /** What a client shows: the text of the highest attempt. */
  readonly text: string
}

export interface House {
  readonly fabric: Fabric
  readonly memory: MemoryFabric
  readonly answers: WatchedAnswers
  readonly conversations: Conversations
  readonly provider: ScriptedProvider
  readonly models: Map<string, Model>
  readonly logLines: string[]
  readonly metrics: ReturnType<typeof createMetrics>
  /** What came out of the ingest log, in order. */
  readonly entries: readonly EntryBody[]
  worker(options?: {
    times?: Partial<WorkerTimes>
    bounds?: Partial<WorkerBounds>
    limits?: Partial<AnswerLimits>
  }): Promise<Part>
  /** Writes a question and queues its answer, as storage does. */
  ask(text?: string, options?: { queue?: boolean; sid?: SessionId; uid?: UserId; modelId?: string }): Promise<Asked>
  answerOf(asked: Asked): Promise<Answer>
  /** The answer as it was stored when it had ended. */
  ended(asked: Asked): Promise<Answer>
  entry<K extends EntryBody['kind']>(kind: K, answerId: AnswerId): Promise<EntryOf<K>>
  device(uid: UserId): Promise<Device>
}

/** The real ports, sealed as they are in production, around a worker; what storage does with ends is done here. */
export async function house(options: { memory?: MemoryOptions } = {}): Promise<House> {
  const folder = temporaryFolder('worker')
  const keyring = createKeyring({ keys: [{ id: 'k1', key: createHash('sha256').update('test').digest() }] })
  const sealed = {
    onUnopenable: (place: string) => {
      throw new Error(`something in ${place} does not open`)
    },
  }
  const sqlite = await openSqlite({ file: join(folder, 'chatbox.db') })
  const conversations = sealedConversations(sqlite.conversations, keyring, sealed)
  const memory = memoryFabric(options.memory)
  const clear = sealedFabric(memory, keyring, sealed)
  const answers = watchedAnswers(clear.answers)
  const fabric: Fabric = { ...clear, answers }
  const provider = scriptedProvider()
  const models = new Map<string, Model>([['model', { provider, name: 'scripted-1', contextTokens: 2_000 }]])
  const logLines: string[] = []
  const log = createLogger({ service: 'test', level: 'debug', destination: { write: (line) => logLines.push(line) } })
  const metrics = createMetrics()
  const storage = await tinyStorage(fabric, conversations)
  const workers: Part[] = []

  onTestFinished(async () => {
    await Promise.all(workers.map((worker) => worker.stop(AbortSignal.timeout(1_000))))
    await storage.stop()
    await memory.close()
    await sqlite.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function newTurn(sid: SessionId, uid: UserId, text: string, modelId: string): Promise<Turn> {
    await conversations.createSession(newSession(sid, uid, PARTITION, 'model', Date.now()))
    const session = await conversations.session(sid)
    if (!session) throw new Error('no session')
    const totals = await conversations.totals(sid)
    const said = {
      author: 'user',
      authorId: uid,
      cmid: clientMessageId(randomUUID()),
      kind: 'text',
      content: { text },
      modelId,
    } as const
    const plan = planSend(session, totals ?? emptyTotals, said, Date.now(), defaultAnswerLimits)
    if (plan.kind !== 'insert') throw new Error(plan.code)
    await conversations.insertTurn(plan.turn)
    return plan.turn
  }

  async function answerOf({ sid, answerId }: Asked): Promise<Answer> {
    const turn = await conversations.turnByAnswerId(sid, answerId)
    if (!turn?.answer) throw new Error('no such answer')
    return turn.answer
  }

  return {
    fabric,
    memory,
    answers,
    conversations,
    provider,
    models,
    logLines,
    metrics,
    entries: storage.entries,
    async worker({ times, bounds, limits } = {}) {
      const worker = createWorker(
        {
          replica: replicaId(`worker-${workers.length + 1}`),
          fabric,
          conversations,
          models,
          answerLimits: { ...defaultAnswerLimits, ...limits },
          log,
          metrics: workerMetrics(metrics),
        },
        { times: { ...TIMES, ...times }, ...(bounds && { bounds }) },
      )
      workers.push(worker)
      await worker.start()
      return worker
    },
    async ask(text = 'a question', options = {}) {
      const { queue = true, sid = sessionId(randomUUID()), uid = userId(randomUUID()), modelId = 'model' } = options
      const turn = await newTurn(sid, uid, text, modelId)
      if (!turn.answer) throw new Error('no answer is due')
      const { answerId, n } = turn.answer
      if (queue) await fabric.jobs.enqueue({ sid, answerId, n })
      return { uid, sid, answerId, seq: turn.seq + 1, turn }
    },
    answerOf,
    async ended(asked) {
      await storage.entry('answer.end', asked.answerId)
      return answerOf(asked)
    },
    entry: storage.entry,
    device: (uid) => device(fabric, uid),
  }
}

/** What storage makes of the entries that a worker writes. */
async function tinyStorage(fabric: Fabric, conversations: Conversations) {
  const source = await fabric.ingest.own(PARTITION)
  const closing = new AbortController()
  const entries: EntryBody[] = []
  const looks = new Set<() => void>()

  async function apply(entry: EntryBody): Promise<void> {
    if (entry.kind === 'answer.end') {
      const { uid, sid, answerId, attempt, end } = entry
      await conversations.endAnswer(sid, answerId, end, attempt)
      const turn = await conversations.turnByAnswerId(sid, answerId)
      if (turn?.answer && turn.answer.status !== 'pending') {
        await fabric.bus.append(uid, answerDoneEvent(turn, turn.answer, 0), 1)
      }
    }
    if (entry.kind === 'answer.handback') {
      const { sid, answerId, attempt } = entry
      const answer = (await conversations.turnByAnswerId(sid, answerId))?.answer
      if (answer?.status === 'pending' && answer.attempt === attempt) {
        const { n, handbacks } = answer
        await conversations.changePending(sid, answerId, { n }, { n: n + 1, handbacks: handbacks + 1 })
        await fabric.jobs.enqueue({ sid, answerId, n: n + 1 })
      }
    }
  }

  const reading = (async () => {
    for (;;) {
      const read = await source.read(10, closing.signal)
      for (const { id, packet } of read.entries) {
        const entry = decodeEntry(packet)
        await apply(entry)
        await source.remove([{ id }])
        entries.push(entry)
        for (const look of [...looks]) look()
      }
    }
  })().catch((error: unknown) => {
    if (!closing.signal.aborted) throw error
  })

  return {
    entries,
    entry: <K extends EntryBody['kind']>(kind: K, answerId: AnswerId) =>
      new Promise<EntryOf<K>>((resolve) => {
        const look = () => {
          const found = entries.find(
            (entry): entry is EntryOf<K> => entry.kind === kind && 'answerId' in entry && entry.answerId === answerId,
          )
          if (!found) return
          looks.delete(look)
          resolve(found)
        }
        looks.add(look)
        look()
      }),
    async stop() {
      closing.abort()
      await reading
    },
  }
}

async function device(fabric: Fabric, uid: UserId): Promise<Device> {
  const frames: ServerFrame[] = []
  const looks = new Set<() => void>()
  await fabric.bus.subscribe(uid, {
    event(packet) {
      frames.push(JSON.parse(Buffer.from(packet.body).toString('utf8')))
      for (const look of [...looks]) look()
    },
    gap: () => undefined,
  })
  return {
    frames,
    frame: (holds) =>
      new Promise((resolve) => {
        const look = () => {
          const found = frames.find(holds)
          if (!found) return
          looks.delete(look)
          resolve(found)
        }
        looks.add(look)
        look()
      }),
    get text() {
      const deltas = frames.filter((frame) => frame.type === 'answer.delta')
      const attempt = Math.max(0, ...deltas.map((delta) => delta.attempt))
      return deltas
        .filter((delta) => delta.attempt === attempt)
        .map(({ text }) => text)
        .join('')
    },
  }
}

/** A delta whose text, with those before it, has this in it. */
export const says = (text: string) => (frame: ServerFrame) => frame.type === 'answer.delta' && frame.text.includes(text)
export const isDone = (frame: ServerFrame): boolean => frame.type === 'answer.done'
