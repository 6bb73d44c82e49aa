import {
  type AnswerView,
  encodeFrame,
  errorViewOf,
  type MessageView,
  type ServerFrame,
  type ServerFrameOf,
  type SpokenView,
  type UsageView,
} from '@chatbox/protocol'
import type { EventHeader, EventPacket, Origin } from '../packet.ts'
import type { AnswerRef, ClosedAnswer, EndPacket } from '../ports/answers.ts'
import type { Session } from '../session.ts'
import type { Answer, AnswerEnd, Turn } from '../turn.ts'
import { fingerprint } from './answers.ts'
import { sessionViewOf } from './sessions.ts'
import { estimateTokens } from './tokens.ts'

/** A row as clients see it: what was said, with a reference to its answer. */
export function spokenViewOf(turn: Turn): SpokenView {
  const { content, answer } = turn
  return {
    sid: turn.sid,
    seq: turn.seq,
    ts: turn.ts,
    author: turn.author,
    kind: turn.kind,
    text: content.text,
    ...(content.files && { files: [...content.files] }),
    ...(content.metadata && { metadata: { ...content.metadata } }),
    ...(content.name !== undefined && { name: content.name }),
    ...(turn.cmid !== undefined && { clientMessageId: turn.cmid }),
    ...(turn.event !== undefined && { event: turn.event }),
    ...(answer && {
      answer: { answerId: answer.answerId, seq: turn.seq + 1, status: answer.status, modelId: answer.modelId },
    }),
  }
}

export function answerViewOf(turn: Turn, answer: Answer): AnswerView {
  return {
    sid: turn.sid,
    seq: turn.seq + 1,
    ts: answer.endedAt ?? answer.askedAt,
    author: 'assistant',
    kind: 'text',
    text: answer.text ?? '',
    answerId: answer.answerId,
    status: answer.status,
    modelId: answer.modelId,
    ...(answer.usage && { usage: { ...answer.usage } }),
    ...(answer.error && { error: errorViewOf(answer.error) }),
    ...(answer.notices && { notices: [...answer.notices] }),
    ...(answer.feedback && { feedback: { ...answer.feedback } }),
  }
}

/** History shows a turn as one message, or as two where there is an answer (R2). */
export const messagesOf = (turn: Turn): MessageView[] =>
  turn.answer ? [spokenViewOf(turn), answerViewOf(turn, turn.answer)] : [spokenViewOf(turn)]

const event = (frame: ServerFrame, header: Omit<EventHeader, 'type'>): EventPacket => ({
  header: { ...header, type: frame.type },
  body: encodeFrame(frame),
})

const from = (origin: Origin | undefined) => (origin ? { origin } : {})

export const messageEvent = (turn: Turn, origin?: Origin): EventPacket =>
  event({ type: 'message', ...spokenViewOf(turn) }, { class: 'logged', sid: turn.sid, ...from(origin) })

export function answerDoneEvent(turn: Turn, answer: Answer, epoch: number): EventPacket {
  if (answer.status === 'pending') throw new Error('an answer that is pending has no end to announce')
  const frame: ServerFrameOf<'answer.done'> = {
    type: 'answer.done',
    sid: turn.sid,
    seq: turn.seq + 1,
    answerId: answer.answerId,
    attempt: answer.attempt,
    status: answer.status,
    modelId: answer.modelId,
    ts: answer.endedAt ?? answer.askedAt,
    ...fingerprint(answer.text ?? ''),
    ...(answer.usage && { usage: { ...answer.usage } }),
    ...(answer.error && { error: errorViewOf(answer.error) }),
    ...(answer.notices && { notices: [...answer.notices] }),
  }
  return event(frame, {
    class: 'logged',
    sid: turn.sid,
    answerId: answer.answerId,
    attempt: answer.attempt,
    epoch,
  })
}

export const answerFeedbackEvent = (turn: Turn, { answerId, feedback }: Answer): EventPacket =>
  event(
    {
      type: 'answer.feedback',
      sid: turn.sid,
      seq: turn.seq + 1,
      answerId,
      ...(feedback && { feedback: { ...feedback } }),
    },
    { class: 'logged', sid: turn.sid, answerId },
  )

export const sessionUpdatedEvent = (session: Session, origin?: Origin): EventPacket =>
  event(
    { type: 'session.updated', sid: session.sid, rev: session.rev, session: sessionViewOf(session) },
    { class: 'logged', sid: session.sid, epoch: session.ownerEpoch, ...from(origin) },
  )

/** The first attempt is announced in the log; a later one tells clients to forget the text of the one before. */
export function beginEvent(ref: AnswerRef, attempt: number, modelId: string): EventPacket {
  const { sid, seq, answerId } = ref
  return attempt === 1
    ? event(
        { type: 'answer.started', sid, seq, answerId, attempt, modelId },
        { class: 'logged', sid, answerId, attempt },
      )
    : event({ type: 'answer.reset', sid, seq, answerId, attempt }, { class: 'signal', sid, answerId, attempt })
}

export function deltaEvent(ref: AnswerRef, attempt: number, index: number, text: string): EventPacket {
  const { sid, seq, answerId } = ref
  return event(
    { type: 'answer.delta', sid, seq, answerId, attempt, index, text },
    { class: 'delta', sid, answerId, attempt, index },
  )
}

/** The text that accepted chunks add up to; their bodies are `answer.delta` frames. */
export const textOf = (chunks: readonly { readonly body: Uint8Array }[]): string =>
  chunks.map((chunk) => (JSON.parse(Buffer.from(chunk.body).toString('utf8')) as { text: string }).text).join('')

/** An end as its worker has recorded it, under seal. */
export const endIn = ({ body }: Pick<EndPacket, 'body'>): AnswerEnd =>
  JSON.parse(Buffer.from(body).toString('utf8')) as AnswerEnd

/** What was shown of a closed answer: its chunks, or the end that took their place. */
export const textOfClosed = ({ chunks, end }: ClosedAnswer): string => (end ? endIn(end).text : textOf(chunks))

/**
 * What a closed answer took (L5): as its worker had told, or else an estimate of what was shown. What was asked is not known to whoever
 * closes it, nor at which price.
 */
export function usageOfClosed({ chunks, end }: ClosedAnswer): UsageView | undefined {
  if (end) return endIn(end).usage
  const text = textOf(chunks)
  return text === '' ? undefined : { inputTokens: 0, outputTokens: estimateTokens(text), estimated: true }
}

export function snapshotEvent(ref: AnswerRef, attempt: number, next: number, text: string): EventPacket {
  const { sid, seq, answerId } = ref
  return event(
    { type: 'answer.snapshot', sid, seq, answerId, attempt, next, text },
    { class: 'signal', sid, answerId, attempt },
  )
}
