import {
  type AnswerRecord,
  answerId,
  type ClosedAnswer,
  type EndHeader,
  type EventHeader,
  type OpenAnswer,
  sessionId,
  type UserId,
} from '@chatbox/core'
import { bytesOf, listOf, numberOf, type Reply, textOf } from '../connection/script.ts'
import { packetOf } from '../packets.ts'

/** One of the words that a script answers with. */
export function wordOf<const W extends string>(reply: Reply | undefined, words: readonly W[]): W {
  const text = textOf(reply)
  const word = words.find((known) => known === text)
  if (word === undefined) throw new TypeError('a script answered with an unknown word')
  return word
}

const chunksOf = (reply: Reply | undefined) => listOf(reply).map((packet) => packetOf<EventHeader>(bytesOf(packet)))

const endOf = (reply: Reply | undefined) =>
  reply === null || reply === undefined ? {} : { end: packetOf<EndHeader>(bytesOf(reply)) }

const refOf = (uid: UserId, id: Reply | undefined, sid: Reply | undefined, seq: Reply | undefined) => ({
  uid,
  sid: sessionId(textOf(sid)),
  answerId: answerId(textOf(id)),
  seq: numberOf(seq),
})

export function closedAnswerOf(uid: UserId, reply: Reply): ClosedAnswer {
  const [id, sid, seq, attempt, chunks, end] = listOf(reply)
  return { ref: refOf(uid, id, sid, seq), attempt: numberOf(attempt), chunks: chunksOf(chunks), ...endOf(end) }
}

export function openAnswerOf(uid: UserId, reply: Reply): OpenAnswer {
  const [id, sid, seq, attempt, next, chunks] = listOf(reply)
  return {
    ref: refOf(uid, id, sid, seq),
    attempt: numberOf(attempt),
    next: numberOf(next),
    chunks: chunksOf(chunks),
  }
}

export function recordOf(reply: Reply): AnswerRecord | undefined {
  if (reply === null) return undefined
  const [phase, attempt, idleMs, end] = listOf(reply)
  return {
    attempt: numberOf(attempt),
    state: textOf(phase) === 'open' ? 'open' : 'ended',
    idleMs: Math.max(0, numberOf(idleMs)),
    ...endOf(end),
  }
}

export function epochsOf(reply: Reply | undefined): Map<ReturnType<typeof sessionId>, number> {
  return new Map(
    listOf(reply).map((entry) => {
      const [sid, epoch] = listOf(entry)
      return [sessionId(textOf(sid)), numberOf(epoch)]
    }),
  )
}
