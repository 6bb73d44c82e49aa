import { z } from 'zod'
import { readJson } from '../upstream/events.ts'

/** What is of no use to us in another shape counts as not told. */
const maybe = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined)

/** Another id would be refused, and whatever else it may be, it would be kept in a database. */
const conversationId = z.uuid()
const tokens = z.int().nonnegative()

/** What an event may hold, as far as anything follows from it. */
const event = z.object({
  event: z.string(),
  /** Becomes a part of a path. */
  task_id: maybe(z.string().min(1).max(200)),
  conversation_id: maybe(conversationId),
  answer: maybe(z.string()),
  /** Of a workflow's event. */
  data: maybe(z.object({ status: maybe(z.string()) })),
  metadata: maybe(z.object({ usage: maybe(z.object({ prompt_tokens: tokens, completion_tokens: tokens })) })),
  ...{ code: maybe(z.string()), message: maybe(z.string()), status: maybe(z.number()) },
})

const error = z.object({ code: maybe(z.string()), message: maybe(z.string()) })

export type DifyEvent = z.infer<typeof event>
/** What the body of an answer without success says. */
export type DifyError = z.infer<typeof error>

export const readEvent = (data: string): DifyEvent => readJson(data, event)

/** A body that was none of the vendor's is told as it is. */
export function readError(body: string): DifyError {
  const parsed = error.safeParse(jsonOf(body))
  return parsed.success ? parsed.data : { message: body }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
