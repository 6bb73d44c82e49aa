import {
  decodeEntry,
  defaultAnswerLimits,
  dueFrom,
  type EventPacket,
  encodeEntry,
  messageEvent,
  newAnswer,
  newAnswerId,
  newSession,
  requestId,
  type SendEntry,
  type Session,
  type SessionId,
  sessionId,
  sessionUpdatedEvent,
  type Turn,
  type UserId,
  userId,
} from '@chatbox/core'
import { type Box, createKeyring } from '@chatbox/crypto'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { Binary, type Collection, type Document, MongoClient, ObjectId } from 'mongodb'
import { serve } from '../lib/child.ts'
import { quantile } from '../lib/quantile.ts'
import { type Addresses, BASELINE_DATABASE } from './addresses.ts'
import { newMessage, sendEntry } from './messages.ts'

// A process that does for each message only what can't be left out, in batches: opens what an edge has sealed, seals the content, writes it
// to a majority's journals, seals the event, adds it to the user's log, queues the answer. It reads no log, has no leases, no session's
// row, no outcomes, no replies and no sweeper, and nothing is ever tried again.

/**
 * `least`: all of it. `unanswered`: without jobs. `insert`: documents that are made already are written, and that is all. `whole`: the least,
 * and what else storage does for a message in this design: the session's row and its event, the outcome, the removal, the reply.
 */
export type Way = 'whole' | 'least' | 'unanswered' | 'insert'

export interface Batches {
  readonly way: Way
  readonly messages: number
  readonly batch: number
  /** Begins none after this. */
  readonly ms: number
}

export interface BatchesDone {
  readonly accepted: number
  readonly p50: number
  readonly p99: number
}

export interface Baseline {
  connect(to: Addresses): Promise<void>
  /** What edges seal, and documents where they are made already, is none of the cost. */
  prepare(batches: Batches): Promise<void>
  run(batches: Batches): Promise<BatchesDone>
}

interface Entry {
  readonly box: Box
  readonly sealed: Uint8Array
}

interface Open {
  readonly messages: Collection<Document>
  readonly sessions: Collection<Document>
  readonly realtime: Redis
  readonly queueRedis: Redis
  readonly queue: Queue
  /** Keys are at hand, as those of the product are. */
  readonly boxOf: (name: string) => Box
}

/** Batches under way at once, as many as the adapter has commands. */
const AT_ONCE = 2
const SESSIONS = 1_000
const PARTITIONS = 64
const LOG_EVENTS = 1_000
const JOB = { attempts: 1, removeOnComplete: true, removeOnFail: true }
/** About as long as the places of the product. */
const PLACE = Buffer.from('a place of about as many bytes as those of the product')
const NOBODY = requestId('nobody')
const MODEL = 'model'
const OUTCOME_MS = 600_000

let open: Open | undefined
let entries: Entry[] = []
let documents: Document[] = []
let made = 0
const seqs = new Map<SessionId, number>()

async function connect({ realtimeUrl, queueUrl, mongoUrl, key }: Addresses): Promise<Open> {
  const client = new MongoClient(mongoUrl, { writeConcern: { w: 'majority', journal: true } })
  await client.connect()
  const queueRedis = new Redis(queueUrl, { maxRetriesPerRequest: null })
  const queue = new Queue('answers', {
    connection: queueRedis,
    prefix: '{baseline}',
    skipVersionCheck: true,
  })
  await queue.waitUntilReady()
  const keyring = createKeyring({ keys: [{ id: 'k1', key }] })
  const boxes = new Map<string, Box>()
  const db = client.db(BASELINE_DATABASE)
  const rows = Array.from({ length: SESSIONS }, (_, n) => newSession(sidOf(n), uidOf(n), 0, MODEL, Date.now()))
  const sessions = db.collection<Document>('sessions')
  await sessions.insertMany(rows.map(({ sid, ...row }) => ({ _id: sid as never, ...row })))
  return {
    messages: db.collection('messages'),
    sessions,
    realtime: new Redis(realtimeUrl),
    queueRedis,
    queue,
    boxOf(name) {
      const box = boxes.get(name) ?? keyring.box('user', name)
      boxes.set(name, box)
      return box
    },
  }
}

const uidOf = (n: number) => userId(`u-${n % SESSIONS}`)
const sidOf = (n: number) => sessionId(`s-${n % SESSIONS}`)

function newEntry({ boxOf }: Open): Entry {
  const n = made++
  const box = boxOf(`partition-${n % PARTITIONS}`)
  return { box, sealed: box.seal(encodeEntry(sendEntry(newMessage(uidOf(n), sidOf(n), false), NOBODY)).body, PLACE) }
}

function turnOf({ box, sealed }: Entry, answered: boolean): Turn {
  const body = box.open(sealed, PLACE)
  // Made by `newEntry`.
  const { sid, uid, said } = decodeEntry({ header: { requestId: NOBODY, kind: 'send' }, body }) as SendEntry
  const [now, seq] = [Date.now(), seqs.get(sid) ?? 1]
  seqs.set(sid, seq + 2)
  const due = dueFrom(now, defaultAnswerLimits)
  return {
    ...{ sid, seq, width: answered ? 2 : 1, partition: 0, authorId: uid, ts: now, unsettled: true, superseded: [] },
    ...said,
    ...(answered && { answer: newAnswer(newAnswerId(sid, seq, said.cmid), MODEL, now, due) }),
  }
}

const documentOf = ({ boxOf }: Open, { superseded: _, content, ...turn }: Turn): Document => ({
  _id: new ObjectId(),
  ...turn,
  content: new Binary(boxOf(turn.sid).seal(Buffer.from(JSON.stringify(content)), PLACE)),
})

async function announceAll(
  { boxOf, realtime }: Open,
  events: readonly (readonly [UserId, EventPacket])[],
): Promise<void> {
  const log = realtime.pipeline()
  for (const [uid, { header, body }] of events) {
    const event = Buffer.from(boxOf(uid).seal(body, PLACE))
    log.xadd(`log:${uid}`, 'MAXLEN', '~', LOG_EVENTS, '*', 'header', JSON.stringify(header), 'body', event)
  }
  await log.exec()
}

/** The sessions' rows, and what tells their users of them. */
async function projectAll(to: Open, turns: readonly Turn[]): Promise<void> {
  const rows = turns.map(({ sid, authorId, seq, width, ts, content }): Session => {
    const row = newSession(sid, authorId, 0, MODEL, ts)
    return { ...row, msgCount: seq + width - 1, readSeq: seq, rev: seq, preview: content.text.slice(0, 120) }
  })
  const updates = rows.map(({ sid, msgCount, totalTokens, lastActivity, readSeq, modelId, rev, preview = '' }) => {
    const sealed = new Binary(to.boxOf(sid).seal(Buffer.from(preview), PLACE))
    const change = { msgCount, totalTokens, lastActivity, readSeq, modelId, rev, preview: sealed, op: new ObjectId() }
    return { updateOne: { filter: { _id: sid as never }, update: { $set: change } } }
  })
  await to.sessions.bulkWrite(updates, { ordered: false })
  await announceAll(
    to,
    rows.map((row) => [row.uid, sessionUpdatedEvent(row)]),
  )
}

/** Entries are removed, outcomes kept, and whoever asked is told. */
async function tellAll({ boxOf, queueRedis, realtime }: Open, turns: readonly Turn[]): Promise<void> {
  const [done, told] = [queueRedis.pipeline(), realtime.pipeline()]
  for (const { cmid } of turns) {
    const outcome = Buffer.from(boxOf('outcomes').seal(Buffer.from(JSON.stringify({ ok: true })), PLACE))
    done.set(`outcome:${cmid}`, outcome, 'PX', OUTCOME_MS)
    done.xdel('entries', '0-1')
    told.publish('edge', Buffer.from(boxOf('edge').seal(new Uint8Array(), PLACE)))
  }
  await done.exec()
  await told.exec()
}

async function queueAll({ queue }: Open, turns: readonly Turn[]): Promise<void> {
  const jobs = turns.flatMap(({ sid, answer }) => (answer ? [{ sid, answerId: answer.answerId, n: answer.n }] : []))
  await queue.addBulk(
    jobs.map((data) => ({ name: 'answers', data, opts: { ...JOB, jobId: `${data.answerId}-${data.n}` } })),
  )
}

async function doBatch(to: Open, way: Way, size: number): Promise<void> {
  if (way === 'insert') {
    await to.messages.insertMany(documents.splice(-size), { ordered: false })
    return
  }
  const answered = way !== 'unanswered'
  const turns = entries.splice(-size).map((entry) => turnOf(entry, answered))
  await to.messages.insertMany(
    turns.map((turn) => documentOf(to, turn)),
    { ordered: false },
  )
  await announceAll(
    to,
    turns.map((turn) => [turn.authorId, messageEvent(turn)]),
  )
  if (answered) await queueAll(to, turns)
  if (way !== 'whole') return
  await projectAll(to, turns)
  await tellAll(to, turns)
}

function connected(): Open {
  if (!open) throw new Error('not connected')
  return open
}

serve<Baseline>({
  async connect(to) {
    open = await connect(to)
  },
  async prepare({ way, messages }) {
    const to = connected()
    entries = Array.from({ length: messages }, () => newEntry(to))
    documents = way === 'insert' ? entries.map((entry) => documentOf(to, turnOf(entry, true))) : []
  },
  async run({ way, messages, batch, ms }) {
    const to = connected()
    const from = performance.now()
    const delays: number[] = []
    let left = messages
    const line = async () => {
      while (left > 0 && performance.now() - from < ms) {
        const size = Math.min(batch, left)
        left -= size
        const begun = performance.now()
        await doBatch(to, way, size)
        const took = performance.now() - begun
        for (let i = 0; i < size; i++) delays.push(took)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, line))
    return { accepted: delays.length, p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) }
  },
})
