import { z } from 'zod'
import { errorCodeList } from './errors.ts'
import { name } from './text.ts'
import { answerStatus, answerView, feedbackView, messageKind, messageView, sessionView } from './views.ts'

/** Bodies of the users' REST (docs/rest.md). Those that clients send are strict: unknown fields are refused (security 11). */

export const sessionPage = z.object({ sessions: z.array(sessionView), cursor: z.string().optional() })
export type SessionPage = z.infer<typeof sessionPage>

export const sessionBody = z.object({ session: sessionView })
export type SessionBody = z.infer<typeof sessionBody>

export const messagePage = z.object({ messages: z.array(messageView), more: z.boolean() })
export type MessagePage = z.infer<typeof messagePage>

export const answerBody = z.object({ message: answerView })
export type AnswerBody = z.infer<typeof answerBody>

/** In bytes. The longest model id is what the configuration allows at most; only one that is listed is taken anyway. */
const LONGEST = { name: 200, comment: 2_000, modelId: 1_024 } as const

export const sessionChange = z
  .strictObject({ name: name(LONGEST.name).optional(), modelId: name(LONGEST.modelId).optional() })
  .refine((change) => change.name !== undefined || change.modelId !== undefined, { error: 'changes nothing' })
  .meta({ minProperties: 1 })
export type SessionChangeBody = z.infer<typeof sessionChange>

export const readMark = z.strictObject({ seq: z.number().int().positive().max(Number.MAX_SAFE_INTEGER) })
export type ReadMark = z.infer<typeof readMark>

export const feedbackChange = z.strictObject({
  rating: feedbackView.shape.rating,
  comment: name(LONGEST.comment).optional(),
  /** Which answer was seen. Another one may stand there by now, which then is not rated by mistake. */
  answerId: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/)
    .optional(),
})
export type FeedbackChange = z.infer<typeof feedbackChange>

const DAY_S = 86_400

/** How long a link is good, in seconds. */
export const shareTimes = { least: 60, usual: 7 * DAY_S, most: 365 * DAY_S } as const

export const shareRequest = z.strictObject({
  expiresInSeconds: z.number().int().min(shareTimes.least).max(shareTimes.most).default(shareTimes.usual),
})
export type ShareRequest = z.infer<typeof shareRequest>

export const shareBody = z.object({
  /** Whoever has it can read the session. It is not kept, and not told again. */
  token: z.string(),
  /** Where it is read, below the address of the service. */
  path: z.string(),
  until: z.number(),
})
export type ShareBody = z.infer<typeof shareBody>

/** What is seen through a link: nothing of whom it belongs to, what it cost or how it was rated. */
export const sharedSessionView = z.object({
  name: z.string().optional(),
  startedAt: z.number(),
  endedAt: z.number().optional(),
  messageCount: z.number().int().nonnegative(),
  until: z.number(),
})
export type SharedSessionView = z.infer<typeof sharedSessionView>

export const sharedMessageView = z.object({
  seq: z.number().int().positive(),
  ts: z.number(),
  author: z.enum(['user', 'admin', 'system', 'assistant']),
  kind: messageKind,
  text: z.string(),
  /** Where a file can be fetched is not told: its address may be a key to it. */
  files: z.array(z.object({ name: z.string().optional(), mimeType: z.string().optional() })).optional(),
  name: z.string().optional(),
  event: z.string().optional(),
  /** Of an answer. */
  status: answerStatus.optional(),
})
export type SharedMessageView = z.infer<typeof sharedMessageView>

export const sharedSessionBody = z.object({ session: sharedSessionView })
export type SharedSessionBody = z.infer<typeof sharedSessionBody>

export const sharedMessagePage = z.object({ messages: z.array(sharedMessageView), more: z.boolean() })
export type SharedMessagePage = z.infer<typeof sharedMessagePage>

/** A whole session as a file. */
export const sessionExport = z.object({
  exportedAt: z.number(),
  session: sessionView,
  messages: z.array(messageView),
})
export type SessionExport = z.infer<typeof sessionExport>

export const errorBody = z.object({
  error: z.object({
    code: z.enum(errorCodeList),
    message: z.string(),
    retryable: z.boolean(),
    requestId: z.string(),
    /** The field of what was sent that is at fault. */
    field: z.string().optional(),
  }),
})
export type ErrorBody = z.infer<typeof errorBody>
