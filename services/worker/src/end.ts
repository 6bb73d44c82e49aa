import {
  type AnswerEnd,
  type AnswerRef,
  type EndPacket,
  type EntryBody,
  encodeEntry,
  estimateTokens,
  requestId,
  type Turn,
  textOfClosed,
  Unavailable,
} from '@chatbox/core'
import type { AnswerNotice, ErrorCode, UsageView } from '@chatbox/protocol'
import { type Answering, Left } from './answering.ts'
import type { Attempt } from './begin.ts'
import type { Speech } from './speech.ts'
import { usageTally } from './usage.ts'
import { insist, pause, storeBackoff, type Work } from './work.ts'

export interface Verdict {
  readonly status: AnswerEnd['status']
  readonly error?: ErrorCode
  /** The provider's own conversation, in which this answer is the last (decision 13). */
  readonly thread?: string
}

/** What else is told of an answer, however it ended. */
export interface Facts {
  readonly usage: UsageView | undefined
  /** The model that answered in place of the one that was asked. */
  readonly modelId?: string | undefined
  readonly notices?: readonly AnswerNotice[]
}

export const done = (thread?: string): Verdict => ({ status: 'done', ...(thread !== undefined && { thread }) })
export const CANCELLED: Verdict = { status: 'cancelled' }
export const failed = (error: ErrorCode): Verdict => ({ status: 'failed', error })

/** The end of an answer that was under way: its text is exactly what the store has accepted (R14). */
export async function endSpeech(
  work: Work,
  answering: Answering,
  speech: Speech,
  verdict: Verdict,
  facts: Facts,
): Promise<AnswerEnd> {
  if (verdict.status === 'cancelled') speech.cut()
  await speech.settle()
  const { attempt, accepted } = speech
  // Cut short by our own bound: not the provider's end, so not done (P7), and said, with what there is of it.
  const told = verdict.status === 'done' && speech.full ? failed('provider_error') : verdict
  const end = endOf(work, told, accepted, facts)
  const { ref, number } = attempt
  const outcome = await insist(work, 'record end', answering.left, () =>
    work.fabric.answers.end(ref, number, endPacket(ref, number, end)),
  )
  speech.drop()
  if (outcome === 'stale') throw new Left('superseded')
  // `gone` is no reason to begin again: nothing is left to be shown, the end below counts by the attempt in the database alone
  // (R12), and its announcement makes devices fetch what they lack. Only the sweeper's second chance is lost with the record:
  // should this process die right here, the answer is done again.
  await sendEnd(work, answering, attempt.turn, ref, number, end)
  return end
}

/** The end of an answer that this worker does not begin. What earlier attempts had shown is kept; nothing can be added to it. */
export async function endUnspoken(
  work: Work,
  answering: Answering,
  attempt: Attempt,
  verdict: Verdict,
): Promise<AnswerEnd> {
  const { ref, number, turn } = attempt
  const closed = await insist(work, 'close', answering.left, () => work.fabric.answers.close(ref))
  const text = textOfClosed(closed)
  const usage = usageTally()
  const { price } = work.models.get(attempt.answer.modelId) ?? {}
  // What was asked is not known any more.
  if (text !== '') usage.add({}, { inputTokens: 0, outputTokens: estimateTokens(text) }, false, price)
  const end = endOf(work, verdict, text, { usage: usage.total() })
  await sendEnd(work, answering, turn, ref, number, end)
  return end
}

const endOf = (
  work: Work,
  { status, error, thread }: Verdict,
  text: string,
  { usage, modelId, notices = [] }: Facts,
): AnswerEnd => ({
  status,
  text,
  endedAt: work.clock.now(),
  ...(thread !== undefined && { thread }),
  ...(usage && { usage }),
  ...(error && { error }),
  ...(modelId !== undefined && { modelId }),
  ...(notices.length > 0 && { notices }),
})

const utf8 = new TextEncoder()

const endPacket = ({ answerId }: AnswerRef, attempt: number, end: AnswerEnd): EndPacket => ({
  header: { answerId, attempt, class: 'end' },
  body: utf8.encode(JSON.stringify(end)),
})

/** Tells storage, which makes the end true and announces it. */
export function sendEnd(
  work: Work,
  answering: Answering,
  turn: Turn,
  { uid, sid, answerId }: AnswerRef,
  attempt: number,
  end: AnswerEnd,
): Promise<void> {
  return send(work, answering, turn, {
    kind: 'answer.end',
    uid,
    sid,
    requestId: requestId(`end:${answerId}:${attempt}`),
    answerId,
    attempt,
    end,
  })
}

/** Gives the answer back in good order: storage queues it again at once, and it counts as no crash (R13). */
export function sendHandback(work: Work, answering: Answering, { turn, ref, number }: Attempt): Promise<void> {
  const { uid, sid, answerId } = ref
  return send(work, answering, turn, {
    kind: 'answer.handback',
    uid,
    sid,
    requestId: requestId(`handback:${answerId}:${number}`),
    answerId,
    attempt: number,
  })
}

/** Until it is taken: twice does no harm, and without a deadline, because it must come true however late (R9). */
async function send(work: Work, { left }: Answering, { partition }: Turn, entry: EntryBody): Promise<void> {
  const packet = encodeEntry(entry)
  const until = performance.now() + work.times.awayMs
  for (let tries = 1; ; tries++) {
    left.throwIfAborted()
    const taken = await work.fabric.ingest.append({ partition, packet, headroom: true }).catch((error: unknown) => {
      if (error instanceof Unavailable) return 'unknown' as const
      throw error
    })
    if (taken === 'taken') return
    // The sweeper finds what was recorded, and sends it.
    if (performance.now() > until) throw new Left('store-away')
    const waitMs = storeBackoff(tries)
    work.metrics.storeRetries.inc({ what: entry.kind })
    work.log.warn(
      { answerId: answerIdOf(entry), kind: entry.kind, taken, tries, waitMs },
      'the queue did not take it, trying again',
    )
    await pause(waitMs, left)
  }
}

const answerIdOf = (entry: EntryBody) => ('answerId' in entry ? entry.answerId : undefined)
