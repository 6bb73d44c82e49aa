import {
  type Answer,
  type AnswerEnd,
  answerId,
  type ClientMessageId,
  type Feedback,
  sessionId,
  type Turn,
  userId,
} from '@chatbox/core'
import type { Document, ObjectId } from 'mongodb'
import type { Row } from '../collections.ts'
import { binary, fieldsOf, storable } from '../values.ts'

export type SealedTurn = Turn<Uint8Array, Uint8Array>
export type SealedAnswer = Answer<Uint8Array>

/** One document for each turn, with its answers in it (R2). `_id` says whose insert it was. */
export function turnDocument(turn: SealedTurn, _id: ObjectId): Row {
  const { sid, seq, width, partition, author, authorId, cmid, kind, event, content, ts, unsettled } = turn
  const { answer, superseded } = turn
  const answers = [...superseded, ...(answer ? [answer] : [])]
  const tokens = answers.reduce((sum, each) => sum + tokensOf(each), 0)
  const cost = answers.reduce((sum, { usage }) => sum + (usage?.cost ?? 0), 0)
  const plain = {
    ...{ sid, seq, width, partition, author, authorId, kind, ts },
    ...(cmid !== undefined && { cmid }),
    ...(event !== undefined && { event }),
    // Only while it is, so that an index holds few.
    ...(unsettled && { unsettled }),
    ...(answer && { answer: answerDocument(answer) }),
    ...(superseded.length > 0 && { superseded: superseded.map(answerDocument) }),
    ...(tokens > 0 && { tokens }),
    ...(cost > 0 && { cost }),
  }
  return { _id, ...storable(plain), content: binary(content) }
}

export function answerDocument(answer: SealedAnswer): Document {
  const { answerId, status, attempt, faults, handbacks, n, modelId, askedAt, due, cancelAt, endedAt, feedback } = answer
  return {
    ...{ answerId, status, attempt, faults, handbacks, n, modelId, askedAt },
    ...(due !== undefined && { due }),
    ...(cancelAt !== undefined && { cancelAt }),
    ...(endedAt !== undefined && { endedAt }),
    ...resultDocument(answer),
    ...(feedback && { feedback: feedbackDocument(feedback) }),
  }
}

export const feedbackDocument = ({ rating, comment, ts }: Feedback<Uint8Array>): Document => ({
  ...{ rating, ts },
  ...(comment !== undefined && { comment: binary(comment) }),
})

/** What an answer has when it has ended. */
export const resultDocument = ({
  text,
  thread,
  usage,
  error,
  notices,
}: Partial<Pick<AnswerEnd<Uint8Array>, 'text' | 'thread' | 'usage' | 'error' | 'notices'>>): Document => ({
  ...(text !== undefined && { text: binary(text) }),
  ...(thread !== undefined && { thread: binary(thread) }),
  ...(usage && {
    usage: {
      ...{ inputTokens: usage.inputTokens, outputTokens: usage.outputTokens, estimated: usage.estimated },
      ...(usage.cost !== undefined && { cost: usage.cost }),
    },
  }),
  ...(error !== undefined && { error }),
  ...(notices && { notices: [...notices] }),
})

/** Every value of a row that is sealed, by its path. */
export const valuesDocument = ({ content, answer, superseded }: SealedTurn): Document => ({
  content: binary(content),
  ...(answer && answerValues('answer', answer)),
  ...Object.assign({}, ...superseded.map((each, i) => answerValues(`superseded.${i}`, each))),
})

const answerValues = (path: string, { text, thread, feedback }: SealedAnswer): Document => ({
  ...(text !== undefined && { [`${path}.text`]: binary(text) }),
  ...(thread !== undefined && { [`${path}.thread`]: binary(thread) }),
  ...(feedback?.comment !== undefined && { [`${path}.feedback.comment`]: binary(feedback.comment) }),
})

export const tokensOf = ({ usage }: Pick<AnswerEnd<Uint8Array>, 'usage'>): number =>
  usage ? usage.inputTokens + usage.outputTokens : 0

export function turnOf(document: Document): SealedTurn {
  const fields = fieldsOf(document)
  const answer: Document | undefined = document.answer
  const superseded: readonly Document[] = document.superseded ?? []
  return {
    sid: sessionId(fields.text('sid')),
    seq: fields.number('seq'),
    width: fields.number('width') === 2 ? 2 : 1,
    partition: fields.number('partition'),
    author: fields.word('author'),
    authorId: userId(fields.text('authorId')),
    ...fields.maybeText<'cmid', ClientMessageId>('cmid'),
    kind: fields.word('kind'),
    ...fields.maybeText('event'),
    content: fields.bytes('content'),
    ts: fields.number('ts'),
    unsettled: document.unsettled === true,
    ...(answer && { answer: answerOf(answer) }),
    superseded: superseded.map(answerOf),
  }
}

function answerOf(document: Document): SealedAnswer {
  const fields = fieldsOf(document)
  const usage: Document | undefined = document.usage
  return {
    answerId: answerId(fields.text('answerId')),
    status: fields.word('status'),
    attempt: fields.number('attempt'),
    faults: fields.number('faults'),
    handbacks: fields.number('handbacks'),
    n: fields.number('n'),
    ...fields.maybeNumber('due'),
    ...fields.maybeNumber('cancelAt'),
    modelId: fields.text('modelId'),
    askedAt: fields.number('askedAt'),
    ...fields.maybeNumber('endedAt'),
    ...fields.maybeBytes('text'),
    ...fields.maybeBytes('thread'),
    ...(usage && { usage: usageOf(usage) }),
    ...(document.error !== undefined && { error: fields.word('error') }),
    ...(document.notices !== undefined && { notices: fields.words('notices') }),
    ...(document.feedback !== undefined && { feedback: feedbackOf(document.feedback) }),
  }
}

function feedbackOf(document: Document): Feedback<Uint8Array> {
  const fields = fieldsOf(document)
  return { rating: fields.word('rating'), ...fields.maybeBytes('comment'), ts: fields.number('ts') }
}

function usageOf(document: Document) {
  const fields = fieldsOf(document)
  return {
    inputTokens: fields.number('inputTokens'),
    outputTokens: fields.number('outputTokens'),
    estimated: fields.flag('estimated'),
    ...fields.maybeNumber('cost'),
  }
}
