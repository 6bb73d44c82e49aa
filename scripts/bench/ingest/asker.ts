import { setTimeout as pause } from 'node:timers/promises'
import {
  type AnswerId,
  DEFAULT_PARTITIONS,
  type EntryBody,
  type EventPacket,
  encodeEntry,
  type Fabric,
  partitionOf,
  REQUEST_TTL_MS,
  type RequestId,
  randomId,
  requestId,
  type SessionId,
  type UserId,
} from '@chatbox/core'
import { BENCH_EDGE, type Message, sendEntry } from './messages.ts'

export interface Asked {
  readonly accepted: number
  /** Refused by storage, not taken by the log, or without any word. */
  readonly failed: number
  /** Milliseconds from the sending to the event that tells the user's devices of the message. */
  readonly delays: readonly number[]
  readonly ms: number
}

/** Does what edges do for those who send: asks, listens for what their users are told, and for replies. */
export interface Asker {
  listenFor(users: readonly UserId[]): Promise<void>
  /** So many at once, each the next one when the one before is done with; begins none after `ms`. */
  send(messages: readonly Message[], load: { readonly inFlight: number; readonly ms: number }): Promise<Asked>
  /** Ends the answers that were asked for, as workers do. */
  endAnswers(inFlight: number): Promise<void>
}

interface Waiting {
  acceptedAt: number | undefined
  done(refused: boolean): void
}

interface Question {
  readonly uid: UserId
  readonly sid: SessionId
  readonly answerId: AnswerId
}

const GIVEN_UP_MS = 2 * REQUEST_TTL_MS

export async function openAsker({ bus, ingest }: Pick<Fabric, 'bus' | 'ingest'>): Promise<Asker> {
  const waiting = new Map<RequestId, Waiting>()
  const ending = new Map<AnswerId, () => void>()
  let questions: Question[] = []

  await bus.listen(BENCH_EDGE, ({ header }) => {
    if (header.requestId !== undefined) waiting.get(header.requestId)?.done(header.type === 'error')
  })

  function told(uid: UserId, { header, body }: EventPacket): void {
    const { type, sid, origin } = header
    if (type === 'answer.done' && header.answerId !== undefined) ending.get(header.answerId)?.()
    if (type !== 'message' || sid === undefined) return
    const waiter = origin && waiting.get(origin.requestId)
    if (waiter) waiter.acceptedAt ??= performance.now()
    // Written by storage, under seal.
    const { answer } = JSON.parse(Buffer.from(body).toString('utf8'))
    if (answer) questions.push({ uid, sid, answerId: answer.answerId })
  }

  async function append(entry: EntryBody, ttlMs?: number): Promise<boolean> {
    const partition = partitionOf(entry.uid, DEFAULT_PARTITIONS)
    const taken = await ingest.append({ partition, packet: encodeEntry(entry), ...(ttlMs !== undefined && { ttlMs }) })
    return taken === 'taken'
  }

  /** How long it took to be accepted; undefined where it was not. */
  async function sendOne(message: Message): Promise<number | undefined> {
    const id = requestId(randomId())
    const sentAt = performance.now()
    const waiter: Waiting = { acceptedAt: undefined, done: () => undefined }
    const over = new Promise<boolean>((resolve) => {
      const late = setTimeout(resolve, GIVEN_UP_MS, true)
      waiter.done = (refused) => {
        clearTimeout(late)
        resolve(refused)
      }
    })
    waiting.set(id, waiter)
    if (!(await append(sendEntry(message, id), REQUEST_TTL_MS))) waiter.done(true)
    const refused = await over
    waiting.delete(id)
    return refused || waiter.acceptedAt === undefined ? undefined : waiter.acceptedAt - sentAt
  }

  async function endOne({ uid, sid, answerId }: Question): Promise<void> {
    const ended = new Promise<void>((resolve) => ending.set(answerId, resolve))
    const end = { status: 'done', text: 'That is how it is.', endedAt: Date.now() } as const
    await append({ kind: 'answer.end', uid, sid, requestId: requestId(randomId()), answerId, attempt: 0, end })
    await Promise.race([ended, pause(GIVEN_UP_MS, undefined, { ref: false })])
    ending.delete(answerId)
  }

  return {
    async listenFor(users) {
      for (const uid of users) {
        await bus.subscribe(uid, { event: (packet) => told(uid, packet), gap: () => undefined })
      }
    },
    async send(messages, { inFlight, ms }) {
      const from = performance.now()
      const delays: number[] = []
      let failed = 0
      await eachOf(messages, inFlight, async (message) => {
        if (performance.now() - from > ms) return
        const delay = await sendOne(message)
        if (delay === undefined) failed += 1
        else delays.push(delay)
      })
      return { accepted: delays.length, failed, delays, ms: performance.now() - from }
    },
    async endAnswers(inFlight) {
      const asked = questions
      questions = []
      await eachOf(asked, inFlight, endOne)
    },
  }
}

async function eachOf<T>(all: readonly T[], atOnce: number, work: (one: T) => Promise<void>): Promise<void> {
  let next = 0
  const line = async () => {
    for (let one = all[next++]; one !== undefined; one = all[next++]) await work(one)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, line))
}
