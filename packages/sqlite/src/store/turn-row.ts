import { type Answer, answerId, type ClientMessageId, sessionId, type Turn, userId } from '@chatbox/core'
import type { Params, Row } from '../driver.ts'
import { columnsOf } from '../row.ts'

export type SealedTurn = Turn<Uint8Array, Uint8Array>
export type SealedAnswer = Answer<Uint8Array>

export const turnParams = (turn: SealedTurn): Params => ({
  sid: turn.sid,
  seq: turn.seq,
  width: turn.width,
  partition: turn.partition,
  author: turn.author,
  author_id: turn.authorId,
  cmid: turn.cmid ?? null,
  kind: turn.kind,
  event: turn.event ?? null,
  content: turn.content,
  ts: turn.ts,
  unsettled: Number(turn.unsettled),
  ...answerParams(turn.answer),
})

export const answerParams = (answer: SealedAnswer | undefined): Params => ({
  answer_id: answer?.answerId ?? null,
  status: answer?.status ?? null,
  attempt: answer?.attempt ?? null,
  faults: answer?.faults ?? null,
  handbacks: answer?.handbacks ?? null,
  n: answer?.n ?? null,
  due: answer?.due ?? null,
  cancel_at: answer?.cancelAt ?? null,
  model_id: answer?.modelId ?? null,
  asked_at: answer?.askedAt ?? null,
  ended_at: answer?.endedAt ?? null,
  text: answer?.text ?? null,
  thread: answer?.thread ?? null,
  ...resultParams(answer),
  ...feedbackParams(answer?.feedback),
})

export const resultParams = (answer: Pick<SealedAnswer, 'usage' | 'error' | 'notices'> | undefined): Params => ({
  input_tokens: answer?.usage?.inputTokens ?? null,
  output_tokens: answer?.usage?.outputTokens ?? null,
  estimated: answer?.usage ? Number(answer.usage.estimated) : null,
  cost: answer?.usage?.cost ?? null,
  error: answer?.error ?? null,
  notices: answer?.notices?.join(' ') ?? null,
})

export const feedbackParams = (feedback: SealedAnswer['feedback']): Params => ({
  feedback_rating: feedback?.rating ?? null,
  feedback_comment: feedback?.comment ?? null,
  feedback_ts: feedback?.ts ?? null,
})

/** A row with those of its superseded answers, the oldest first. */
export function turnOf(row: Row, superseded: readonly Row[]): SealedTurn {
  const columns = columnsOf(row)
  return {
    sid: sessionId(columns.text('sid')),
    seq: columns.number('seq'),
    width: columns.number('width') === 2 ? 2 : 1,
    partition: columns.number('partition'),
    author: columns.word('author'),
    authorId: userId(columns.text('author_id')),
    ...columns.maybeText<'cmid', ClientMessageId>('cmid', 'cmid'),
    kind: columns.word('kind'),
    ...columns.maybeText('event', 'event'),
    content: columns.bytes('content'),
    ts: columns.number('ts'),
    unsettled: columns.flag('unsettled'),
    ...(row.answer_id !== null && { answer: answerOf(row) }),
    superseded: superseded.map(answerOf),
  }
}

function answerOf(row: Row): SealedAnswer {
  const columns = columnsOf(row)
  return {
    answerId: answerId(columns.text('answer_id')),
    status: columns.word('status'),
    attempt: columns.number('attempt'),
    faults: columns.number('faults'),
    handbacks: columns.number('handbacks'),
    n: columns.number('n'),
    ...columns.maybeNumber('due', 'due'),
    ...columns.maybeNumber('cancel_at', 'cancelAt'),
    modelId: columns.text('model_id'),
    askedAt: columns.number('asked_at'),
    ...columns.maybeNumber('ended_at', 'endedAt'),
    ...columns.maybeBytes('text', 'text'),
    ...columns.maybeBytes('thread', 'thread'),
    ...(row.input_tokens !== null && {
      usage: {
        inputTokens: columns.number('input_tokens'),
        outputTokens: columns.number('output_tokens'),
        estimated: columns.flag('estimated'),
        ...columns.maybeNumber('cost', 'cost'),
      },
    }),
    ...(row.error !== null && { error: columns.word('error') }),
    ...(row.notices !== null && { notices: columns.words('notices') }),
    ...(row.feedback_rating !== null && {
      feedback: {
        rating: columns.word('feedback_rating'),
        ...columns.maybeBytes('feedback_comment', 'comment'),
        ts: columns.number('feedback_ts'),
      },
    }),
  }
}
