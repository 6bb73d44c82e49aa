import {
  type Answer,
  type AnswerId,
  type AnswerRef,
  answerDoneEvent,
  answerId,
  beginEvent,
  type ClientMessageId,
  decodeEntry,
  deltaEvent,
  type EntryBody,
  type Fabric,
  messageEvent,
  type Origin,
  partitionOf,
  randomId,
  type SessionId,
  sessionId,
  type Turn,
  type UserId,
  userId,
} from '@chatbox/core'
import { type ErrorCode, encodeFrame, errorFrameOf } from '@chatbox/protocol'

/** What storage and a worker would do, by hand. */
export interface Storage {
  /** Announces a message of the user, and with `asks` the slot of its answer. */
  say(user: string, text: string, options?: { sid?: string; origin?: Origin; asks?: AnswerId }): Promise<Turn>
  /** A question and the first attempt at its answer. */
  ask(user: string, sid?: string): Promise<Writing>
  /** The entries of the user's partition, one after another. */
  entries(user: string): Promise<{ next(): Promise<EntryBody> }>
  /** Refuses what was asked. */
  refuse(entry: EntryBody, code: ErrorCode): Promise<void>
  /** Accepts what was said. */
  accept(entry: EntryBody): Promise<Turn>
}

/** An answer that is being written. */
export interface Writing {
  readonly ref: AnswerRef
  /** Exactly what was accepted. */
  readonly text: string
  write(text: string): Promise<void>
  /** A worker has gone; another one begins from nothing. */
  restart(): Promise<void>
  /** Ends it in the record of open answers. */
  end(): Promise<void>
  /** Announces the end. */
  announceEnd(): Promise<void>
  done(): Promise<void>
}

const GEN = 1

export function storage(fabric: Fabric): Storage {
  const seqs = new Map<string, number>()

  async function announce(uid: UserId, event: ReturnType<typeof messageEvent>): Promise<void> {
    const appended = await fabric.bus.append(uid, event, GEN)
    if (appended.kind !== 'appended') throw new Error('a stale owner')
  }

  function turnOf(
    uid: UserId,
    sid: SessionId,
    text: string,
    more: { asks?: AnswerId; cmid?: ClientMessageId } = {},
  ): Turn {
    const seq = seqs.get(sid) ?? 1
    const { asks, cmid } = more
    seqs.set(sid, seq + (asks ? 2 : 1))
    return {
      sid,
      seq,
      width: asks ? 2 : 1,
      partition: partitionOf(uid, 64),
      author: 'user',
      authorId: uid,
      kind: 'text',
      content: { text },
      ts: Date.now(),
      unsettled: true,
      superseded: [],
      ...(cmid !== undefined && { cmid }),
      ...(asks && { answer: pending(asks) }),
    }
  }

  const say: Storage['say'] = async (user, text, { sid = 'sid-1', origin, asks } = {}) => {
    const uid = userId(user)
    const turn = turnOf(uid, sessionId(sid), text, asks ? { asks } : {})
    await announce(uid, messageEvent(turn, origin))
    return turn
  }

  return {
    say,
    async ask(user, sid = 'sid-1') {
      const uid = userId(user)
      const asks = answerId(randomId())
      const turn = await say(user, `question ${asks}`, { sid, asks })
      return writing(fabric, uid, turn, announce)
    },
    async entries(user) {
      const source = await fabric.ingest.own(partitionOf(userId(user), 64))
      const waiting: EntryBody[] = []
      return {
        async next() {
          for (;;) {
            const entry = waiting.shift()
            if (entry) return entry
            const { entries } = await source.read(100, AbortSignal.timeout(10_000))
            await source.remove(entries.map(({ id }) => ({ id })))
            waiting.push(...entries.map(({ packet }) => decodeEntry(packet)))
          }
        },
      }
    },
    async refuse(entry, code) {
      const { replyTo } = entry
      if (!replyTo) throw new Error('nobody is to be told')
      const { connectionId, requestId, edgeId } = replyTo
      await fabric.bus.reply(edgeId, {
        header: { target: connectionId, requestId, type: 'error' },
        body: encodeFrame(errorFrameOf(code, requestId)),
      })
    },
    async accept(entry) {
      if (entry.kind !== 'send') throw new Error(`a ${entry.kind} is no message`)
      const { uid, sid, said, replyTo } = entry
      const turn = turnOf(uid, sid, said.content.text, { cmid: said.cmid })
      const origin = replyTo && { connectionId: replyTo.connectionId, requestId: replyTo.requestId }
      await announce(uid, messageEvent(turn, origin))
      return turn
    },
  }
}

async function writing(
  fabric: Fabric,
  uid: UserId,
  turn: Turn,
  announce: (uid: UserId, event: ReturnType<typeof messageEvent>) => Promise<void>,
): Promise<Writing> {
  const { answer, sid, seq } = turn
  if (!answer) throw new Error('nothing is to be answered')
  const ref: AnswerRef = { uid, sid, answerId: answer.answerId, seq: seq + 1 }
  let attempt = 0
  let chunks: string[] = []

  async function restart(): Promise<void> {
    attempt += 1
    chunks = []
    const begun = await fabric.answers.begin(ref, attempt, 0, beginEvent(ref, attempt, 'demo'))
    if (begun !== 'begun') throw new Error(`the attempt was answered ${begun}`)
  }
  await restart()

  const self: Writing = {
    ref,
    get text() {
      return chunks.join('')
    },
    async write(text) {
      const index = chunks.length
      chunks.push(text)
      const [outcome] = await fabric.answers.append([
        { ref, attempt, index, chunk: deltaEvent(ref, attempt, index, text) },
      ])
      if (outcome !== 'accepted') throw new Error(`a chunk was answered ${outcome}`)
    },
    restart,
    async end() {
      const header = { answerId: ref.answerId, attempt, class: 'end' } as const
      await fabric.answers.end(ref, attempt, { header, body: new TextEncoder().encode('{}') })
    },
    announceEnd: () =>
      announce(
        uid,
        answerDoneEvent(turn, { ...answer, attempt, status: 'done', text: self.text, endedAt: Date.now() }, 0),
      ),
    async done() {
      await self.end()
      await self.announceEnd()
    },
  }
  return self
}

const pending = (id: AnswerId): Answer => ({
  answerId: id,
  status: 'pending',
  attempt: 0,
  faults: 0,
  handbacks: 0,
  n: 0,
  modelId: 'demo',
  askedAt: Date.now(),
})
