import { z } from 'zod'
import { errorCodeList } from './errors.ts'

/** What clients see of sessions, messages and models, in frames and over REST. Unknown fields are ignored by them. */
export const usageView = z.object({
  inputTokens: z.number().int().nonnegative(),
  outputTokens: z.number().int().nonnegative(),
  /** The provider did not say, so this was counted by us. */
  estimated: z.boolean(),
  /** In millionths of a US dollar, by the price of the model; absent where that is not known. An estimate where the tokens are one. */
  cost: z.number().int().nonnegative().optional(),
})
export type UsageView = z.infer<typeof usageView>

export const fileView = z.object({
  fileId: z.string(),
  url: z.string().optional(),
  name: z.string().optional(),
  mimeType: z.string().optional(),
  size: z.number().int().nonnegative().optional(),
})
export type FileView = z.infer<typeof fileView>

export const modelView = z.object({ id: z.string(), label: z.string(), default: z.boolean() })
export type ModelView = z.infer<typeof modelView>

export const sessionView = z.object({
  id: z.string(),
  name: z.string().optional(),
  modelId: z.string(),
  startedAt: z.number(),
  endedAt: z.number().optional(),
  lastActivity: z.number(),
  messageCount: z.number().int().nonnegative(),
  totalTokens: z.number().int().nonnegative(),
  /** In millionths of a US dollar: what is known of it. */
  totalCost: z.number().int().nonnegative(),
  readSeq: z.number().int().nonnegative(),
  /** Messages above `readSeq`, an answer that is being written among them. */
  unreadCount: z.number().int().nonnegative(),
  /** The beginning of what was said last. */
  preview: z.string().optional(),
  /** Until when whoever has the link may read. The time may have passed. */
  sharedUntil: z.number().optional(),
  /** Nothing of it is left. Only ever told live: an erased session is in no list. */
  erased: z.boolean().optional(),
  helpRequested: z.boolean(),
  /** The name of the human who has the session. */
  assistedBy: z.string().optional(),
  rev: z.number().int().nonnegative(),
})
export type SessionView = z.infer<typeof sessionView>

export const answerStatus = z.enum(['pending', 'done', 'failed', 'cancelled'])
export type AnswerStatus = z.infer<typeof answerStatus>

/** What the user is to know of an answer, whenever it is shown. */
export const answerNotices = ['context_trimmed', 'model_fallback'] as const
export type AnswerNotice = (typeof answerNotices)[number]
export const answerNoticesView = z.array(z.enum(answerNotices))

export const errorView = z.object({ code: z.enum(errorCodeList), message: z.string(), retryable: z.boolean() })
export type ErrorView = z.infer<typeof errorView>

export const messageKind = z.enum(['text', 'file', 'voice', 'help', 'system'])
export type MessageKind = z.infer<typeof messageKind>

/** The answer that a question has or will have. */
export const answerRefView = z.object({
  answerId: z.string(),
  seq: z.number().int().positive(),
  status: answerStatus,
  modelId: z.string(),
})
export type AnswerRefView = z.infer<typeof answerRefView>

const messageFields = {
  sid: z.string(),
  seq: z.number().int().positive(),
  ts: z.number(),
  kind: messageKind,
  text: z.string(),
  files: z.array(fileView).optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  clientMessageId: z.string().optional(),
  name: z.string().optional(),
  event: z.string().optional(),
  answer: answerRefView.optional(),
}

/** What a person or the system said. */
export const spokenView = z.object({ ...messageFields, author: z.enum(['user', 'admin', 'system']) })
export type SpokenView = z.infer<typeof spokenView>

export const feedbackView = z.object({ rating: z.enum(['up', 'down']), comment: z.string().optional(), ts: z.number() })
export type FeedbackView = z.infer<typeof feedbackView>

/** What a model said, as history shows it. */
export const answerView = z.object({
  sid: z.string(),
  seq: z.number().int().positive(),
  ts: z.number(),
  author: z.literal('assistant'),
  kind: z.literal('text'),
  text: z.string(),
  answerId: z.string(),
  status: answerStatus,
  modelId: z.string(),
  usage: usageView.optional(),
  error: errorView.optional(),
  notices: answerNoticesView.optional(),
  feedback: feedbackView.optional(),
})
export type AnswerView = z.infer<typeof answerView>

export const messageView = z.discriminatedUnion('author', [spokenView, answerView])
export type MessageView = SpokenView | AnswerView
