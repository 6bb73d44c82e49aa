import { messagesOf, Refusal, type Session, type SessionId, sessionId, sessionViewOf, type Turn } from '@chatbox/core'
import type { MessagePage, MessageView, SessionBody, SessionPage } from '@chatbox/protocol'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { StorageDeps } from '../deps.ts'
import { cursorOf, parseCursor } from './cursor.ts'

const limit = z.coerce.number().int().min(1).max(100)
const seq = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER)

const listQuery = z.strictObject({ limit: limit.default(30), cursor: z.string().max(200).optional() })
const pageQuery = z
  .strictObject({ limit: limit.default(50), before: seq.optional(), after: seq.optional() })
  .refine((query) => query.before === undefined || query.after === undefined, { path: ['after'] })
const params = z.object({ sid: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/) })

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const field = parsed.error.issues[0]?.path.join('.')
  throw new Refusal('invalid_frame', field ? { field } : {})
}

/** Lists and history, for the user whose they are. */
export function sessionRoutes(app: FastifyInstance, { conversations }: StorageDeps): void {
  /** Somebody else's session is as unknown as one that does not exist (S1). */
  async function own(request: { params: unknown; identity: { userId: string } }): Promise<Session> {
    const parsed = params.safeParse(request.params)
    if (!parsed.success) throw new Refusal('not_found')
    const session = await conversations.session(sessionId(parsed.data.sid))
    if (session?.uid !== request.identity.userId || session.erased) throw new Refusal('not_found')
    return session
  }

  app.get('/chat/sessions', async (request): Promise<SessionPage> => {
    const query = parse(listQuery, request.query)
    const after = query.cursor === undefined ? undefined : parseCursor(query.cursor)
    const rows = await conversations.listSessions(request.identity.userId, {
      limit: query.limit + 1,
      ...(after && { after }),
    })
    const page = rows.slice(0, query.limit)
    const last = page.at(-1)
    return {
      sessions: page.map(sessionViewOf),
      ...(rows.length > query.limit && last && { cursor: cursorOf(last) }),
    }
  })

  app.get(
    '/chat/sessions/:sid',
    async (request): Promise<SessionBody> => ({ session: sessionViewOf(await own(request)) }),
  )

  app.get('/chat/sessions/:sid/messages', async (request): Promise<MessagePage> => {
    const query = parse(pageQuery, request.query)
    const { sid } = await own(request)
    return query.after === undefined ? backward(sid, query.before, query.limit) : forward(sid, query.after, query.limit)
  })

  async function backward(sid: SessionId, before: number | undefined, limit: number): Promise<MessagePage> {
    const turns = await conversations.turns(sid, { limit: limit + 1, before: before ?? Number.MAX_SAFE_INTEGER })
    const messages = messagesIn(turns.reverse()).filter((message) => before === undefined || message.seq < before)
    return { messages: messages.slice(-limit), more: messages.length > limit }
  }

  async function forward(sid: SessionId, after: number, limit: number): Promise<MessagePage> {
    const turns = await conversations.turns(sid, { limit: limit + 1, after })
    const messages = messagesIn(turns).filter((message) => message.seq > after)
    return { messages: messages.slice(0, limit), more: messages.length > limit }
  }
}

const messagesIn = (turns: readonly Turn[]): MessageView[] => turns.flatMap(messagesOf)
