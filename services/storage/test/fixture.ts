import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  clientMessageId,
  connectionId,
  decodeOutcome,
  defaultAnswerLimits,
  type EntryBody,
  type EventPacket,
  edgeId,
  encodeEntry,
  type LimitRule,
  modelList,
  type Outcome,
  partitionOf,
  type ReplyPacket,
  type RequestId,
  randomId,
  replicaId,
  requestId,
  type SealedConversations,
  type SendEntry,
  type SessionId,
  type UserId,
  userId,
} from '@chatbox/core'
import { createKeyring, type KeyedConversations, sealedConversations, sealedFabric } from '@chatbox/crypto'
import { type MemoryFabric, memoryFabric } from '@chatbox/memory'
import type { ServerFrame } from '@chatbox/protocol'
import { createLogger, createMetrics, createVerifier } from '@chatbox/runtime'
import { openSqlite } from '@chatbox/sqlite'
import { temporaryFolder } from '@chatbox/testkit/folders'
import {
  aliasOf,
  createStorage,
  type Storage,
  type StorageDeps,
  type StorageOptions,
  type StoragePolicy,
  storageMetrics,
} from '../src/index.ts'

export const secret = randomBytes(32).toString('base64url')
const edge = edgeId('edge-1')
const connection = connectionId('connection-1')

export interface Bench {
  readonly storage: Storage
  readonly memory: MemoryFabric
  readonly conversations: KeyedConversations
  /** The same as the database has it. */
  readonly sealed: SealedConversations
  readonly deps: StorageDeps
  /** The database. */
  readonly file: string
  /** What it logged, line by line. */
  readonly log: string[]
  /** Events a user's devices were sent, as frames. */
  events(
    uid: UserId,
  ): Promise<{ frames: ServerFrame[]; waitFor(fits: (frame: ServerFrame) => boolean): Promise<ServerFrame> }>
  /** Puts an entry on the log and waits until it is done with. */
  ask(entry: EntryBody, ttlMs?: number): Promise<Outcome>
  say(
    uid: UserId,
    sid: SessionId,
    text: string,
    more?: Partial<SendEntry> & { cmid?: string },
    ttlMs?: number,
  ): Promise<Outcome>
  readonly replies: ReplyPacket[]
  /** What a counter has counted, by its labels as they are written: `kind="send"`. */
  counted(name: string): Promise<Record<string, number>>
  close(): Promise<void>
}

export interface BenchOptions {
  readonly times?: {
    leaseMs?: number
    sweepMs?: number
    sessionGraceMs?: number
    mirrorLookMs?: number
    retentionMs?: number
    requestMs?: number
  }
  readonly policy?: StoragePolicy
  readonly wrap?: (deps: StorageDeps) => StorageDeps
  readonly rest?: StorageOptions['rest']
  readonly limits?: Readonly<Record<string, LimitRule>>
  /** The test damages what is stored. */
  readonly damaged?: true
}

/** The real service on the real in-process adapters, sealed, with a database file of its own. */
export async function bench(options: BenchOptions = {}): Promise<Bench> {
  const folder = temporaryFolder('storage')
  const lines: string[] = []
  const log = createLogger({ service: 'test', level: 'debug', destination: { write: (line) => lines.push(line) } })
  const keyring = createKeyring({ keys: [{ id: 'k1', key: randomBytes(32) }] })
  const seals = {
    onUnopenable: (place: string) => {
      if (!options.damaged) throw new Error(`${place} did not open`)
    },
  }
  const memory = memoryFabric({
    limits: { rest: { points: 10_000, perMs: 60_000 }, shared: { points: 10_000, perMs: 60_000 }, ...options.limits },
  })
  const fabric = sealedFabric(memory, keyring, seals)
  const database = await openSqlite({ file: join(folder, 'chatbox.db') })
  const conversations = sealedConversations(database.conversations, keyring, seals)
  const metrics = createMetrics()
  const deps: StorageDeps = {
    replica: replicaId(randomId()),
    fabric,
    conversations,
    leases: database.leases,
    disabledUsers: database.disabledUsers,
    audit: database.audit,
    aliasOf: aliasOf(keyring),
    models: modelList([
      { id: 'demo', label: 'Demo' },
      { id: 'other', label: 'Other' },
    ]),
    answerLimits: defaultAnswerLimits,
    verify: createVerifier({ secret }),
    requestSecret: randomBytes(32).toString('base64url'),
    log,
    metrics: storageMetrics(metrics),
  }
  const used = options.wrap?.(deps) ?? deps
  const storage = createStorage(used, {
    times: { leaseMs: 2_000, sweepMs: 50, ...options.times },
    ...(options.policy && { policy: options.policy }),
    ...(options.rest && { rest: options.rest }),
  })

  const replies: ReplyPacket[] = []
  const waiting = new Map<RequestId, () => void>()
  await fabric.bus.listen(edge, (packet) => {
    replies.push(packet)
    const { requestId: id } = packet.header
    if (id) waiting.get(id)?.()
  })
  await storage.start()

  async function ask(entry: EntryBody, ttlMs?: number): Promise<Outcome> {
    const answered = new Promise<void>((resolve) => waiting.set(entry.requestId, resolve))
    const replyTo = { edgeId: edge, connectionId: connection, requestId: entry.requestId }
    const partition = partitionOf(entry.uid, 64)
    const taken = await fabric.ingest.append({
      partition,
      packet: encodeEntry({ ...entry, replyTo }),
      ...(ttlMs !== undefined && { ttlMs }),
    })
    if (taken !== 'taken') throw new Error(`the log answered ${taken}`)
    await answered
    waiting.delete(entry.requestId)
    // Whoever has the reply finds the outcome, too (R9).
    const packet = await fabric.ingest.outcome(partition, entry.requestId)
    if (!packet) throw new Error('a reply came before its outcome was kept')
    return decodeOutcome(packet)
  }

  return {
    storage,
    memory,
    conversations,
    sealed: database.conversations,
    deps,
    file: join(folder, 'chatbox.db'),
    log: lines,
    replies,
    ask,
    async counted(name) {
      const lines = (await metrics.text()).matchAll(new RegExp(`^chatbox_${name}\\{(.*)\\} (\\d+)$`, 'gm'))
      return Object.fromEntries([...lines].map(([, labels = '', value]) => [labels, Number(value)]))
    },
    async events(uid) {
      const frames: ServerFrame[] = []
      const watchers = new Set<() => void>()
      await fabric.bus.subscribe(uid, {
        event: (packet: EventPacket) => {
          frames.push(JSON.parse(Buffer.from(packet.body).toString('utf8')))
          for (const watch of [...watchers]) watch()
        },
        gap: () => undefined,
      })
      return {
        frames,
        waitFor: (fits) =>
          new Promise((resolve) => {
            const look = () => {
              const found = frames.find(fits)
              if (!found) return
              watchers.delete(look)
              resolve(found)
            }
            watchers.add(look)
            look()
          }),
      }
    },
    say(uid, sid, text, more = {}, ttlMs) {
      const { cmid = randomId(), ...rest } = more
      return ask(
        {
          kind: 'send',
          uid,
          sid,
          requestId: requestId(randomId()),
          fresh: true,
          said: { author: 'user', authorId: uid, cmid: clientMessageId(cmid), kind: 'text', content: { text } },
          ...rest,
        },
        ttlMs,
      )
    },
    async close() {
      await storage.stop(AbortSignal.timeout(5_000))
      await memory.close()
      await conversations.close()
      await database.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export const user = (name: string): UserId => userId(name)
