import { z } from 'zod'
import { errorCodeList } from './errors.ts'
import { messageView, sessionView } from './views.ts'

/** Bodies of the users' REST (docs/PROTOCOL.md, "Reading history over REST"). */
export const sessionPage = z.object({ sessions: z.array(sessionView), cursor: z.string().optional() })
export type SessionPage = z.infer<typeof sessionPage>

export const sessionBody = z.object({ session: sessionView })
export type SessionBody = z.infer<typeof sessionBody>

export const messagePage = z.object({ messages: z.array(messageView), more: z.boolean() })
export type MessagePage = z.infer<typeof messagePage>

export const errorBody = z.object({
  error: z.object({
    code: z.enum(errorCodeList),
    message: z.string(),
    retryable: z.boolean(),
    requestId: z.string(),
  }),
})
export type ErrorBody = z.infer<typeof errorBody>
