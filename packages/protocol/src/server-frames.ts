import { z } from 'zod'
import { errorCodeList } from './errors.ts'
import { MAX_POSITION_LENGTH, PROTOCOL_VERSION } from './limits.ts'
import { answerNoticesView, errorView, feedbackView, modelView, sessionView, spokenView, usageView } from './views.ts'

/** `at` and `of` are put in front by the edge; the frames that travel inside carry neither. */
const at = z.string().max(MAX_POSITION_LENGTH)
const logged = { at: at.optional(), of: z.string().optional() }
const live = { of: z.string().optional() }

const seq = z.number().int().positive()
const answer = { sid: z.string(), seq, answerId: z.string(), attempt: z.number().int().positive() }

export const readyFrame = z.object({
  type: z.literal('ready'),
  protocol: z.literal(PROTOCOL_VERSION),
  connectionId: z.string(),
  userId: z.string(),
  at,
  recovered: z.boolean(),
  reloadAfterMs: z.number().nonnegative().optional(),
  models: z.array(modelView),
  limits: z.record(z.string(), z.number()),
  pingMs: z.number().positive(),
  expiresAt: z.number(),
})

export const messageFrame = z.object({ type: z.literal('message'), ...logged, ...spokenView.shape })

export const answerStartedFrame = z.object({
  type: z.literal('answer.started'),
  ...logged,
  ...answer,
  modelId: z.string(),
})

export const answerDeltaFrame = z.object({
  type: z.literal('answer.delta'),
  ...live,
  ...answer,
  index: z.number().int().nonnegative(),
  text: z.string(),
})

export const answerSnapshotFrame = z.object({
  type: z.literal('answer.snapshot'),
  ...live,
  ...answer,
  next: z.number().int().nonnegative(),
  text: z.string(),
})

export const answerResetFrame = z.object({ type: z.literal('answer.reset'), ...live, ...answer })

export const answerDoneFrame = z.object({
  type: z.literal('answer.done'),
  ...logged,
  ...answer,
  // An answer that nobody began ends with attempt 0.
  attempt: z.number().int().nonnegative(),
  status: z.enum(['done', 'failed', 'cancelled']),
  /** The model that answered: another one than was announced, where that one's provider was away. */
  modelId: z.string().optional(),
  ts: z.number(),
  length: z.number().int().nonnegative(),
  hash: z.string().regex(/^[0-9a-f]{32}$/),
  usage: usageView.optional(),
  error: errorView.optional(),
  notices: answerNoticesView.optional(),
})

export const answerFeedbackFrame = z.object({
  type: z.literal('answer.feedback'),
  ...logged,
  sid: z.string(),
  seq,
  answerId: z.string(),
  feedback: feedbackView.optional(),
})

export const sessionUpdatedFrame = z.object({
  type: z.literal('session.updated'),
  ...logged,
  sid: z.string(),
  rev: z.number().int().nonnegative(),
  session: sessionView,
})

export const typingFrame = z.object({
  type: z.literal('typing'),
  ...live,
  sid: z.string(),
  author: z.enum(['user', 'admin']),
  active: z.boolean(),
  name: z.string().optional(),
})

export const noticeCodes = ['replaced', 'connection_limit', 'shutdown'] as const
export type NoticeCode = (typeof noticeCodes)[number]

export const noticeFrame = z.object({
  type: z.literal('notice'),
  code: z.enum(noticeCodes),
  message: z.string(),
  sid: z.string().optional(),
})

export const reconnectFrame = z.object({
  type: z.literal('reconnect'),
  afterMs: z.number().nonnegative(),
  reason: z.string(),
})

export const errorFrame = z.object({
  type: z.literal('error'),
  code: z.enum(errorCodeList),
  message: z.string(),
  retryable: z.boolean(),
  requestId: z.string(),
  clientMessageId: z.string().optional(),
  sid: z.string().optional(),
  field: z.string().optional(),
  retryAfterMs: z.number().nonnegative().optional(),
})

export const pongFrame = z.object({ type: z.literal('pong'), requestId: z.string().optional(), ts: z.number() })

export const serverFrames = {
  ready: readyFrame,
  message: messageFrame,
  'answer.started': answerStartedFrame,
  'answer.delta': answerDeltaFrame,
  'answer.snapshot': answerSnapshotFrame,
  'answer.reset': answerResetFrame,
  'answer.done': answerDoneFrame,
  'answer.feedback': answerFeedbackFrame,
  'session.updated': sessionUpdatedFrame,
  typing: typingFrame,
  notice: noticeFrame,
  reconnect: reconnectFrame,
  error: errorFrame,
  pong: pongFrame,
} as const

export type ServerFrameType = keyof typeof serverFrames
export type ServerFrameOf<T extends ServerFrameType> = z.infer<(typeof serverFrames)[T]>
export type ServerFrame = { [T in ServerFrameType]: ServerFrameOf<T> }[ServerFrameType]

/** The frames that stand in the user's log and can be resumed from. */
export const loggedFrames = [
  'message',
  'answer.started',
  'answer.done',
  'answer.feedback',
  'session.updated',
] as const satisfies ServerFrameType[]
export type LoggedFrameType = (typeof loggedFrames)[number]
export type LoggedFrame = ServerFrameOf<LoggedFrameType>
