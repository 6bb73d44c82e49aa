import { messagesOf, Refusal, type SessionId, sessionViewOf, type UserId } from '@chatbox/core'
import { type MessageView, type SessionView, sessionExport } from '@chatbox/protocol'
import { z } from 'zod'
import { download } from '../answers.ts'
import { type Route, route } from '../route.ts'
import { markdownHead, markdownOf } from './markdown.ts'
import { inSession, ownSession, type RestDeps } from './parts.ts'

const query = z.strictObject({ format: z.enum(['json', 'markdown']).default('json') })

/** Turns may be long, and whoever takes them slowly has a page of them wait here. */
const PAGE = 10
/** At once, of one user. */
const MOST = 3
const RETRY_MS = 5_000

interface Format {
  readonly type: string
  readonly extension: string
  write(session: SessionView, exportedAt: number, pages: AsyncIterable<MessageView[]>): AsyncGenerator<string>
}

const formats: Record<z.output<typeof query>['format'], Format> = {
  json: {
    type: 'application/json',
    extension: 'json',
    async *write(session, exportedAt, pages) {
      yield `{"exportedAt":${exportedAt},"session":${JSON.stringify(session)},"messages":[`
      let between = ''
      for await (const messages of pages) {
        yield between + messages.map((message) => JSON.stringify(message)).join(',')
        between = ','
      }
      yield ']}\n'
    },
  },
  markdown: {
    type: 'text/markdown',
    extension: 'md',
    async *write(session, exportedAt, pages) {
      yield markdownHead(session, exportedAt)
      for await (const messages of pages) yield messages.map(markdownOf).join('')
    },
  },
}

/** A whole session as a file, read page by page as fast as it is taken. */
export function exportRoutes(deps: RestDeps): Route[] {
  const underWay = new Map<UserId, number>()

  /** The result ends it. */
  function enter(uid: UserId): () => void {
    const others = underWay.get(uid) ?? 0
    if (others >= MOST) throw new Refusal('rate_limited', { retryAfterMs: RETRY_MS })
    underWay.set(uid, others + 1)
    return () => {
      const left = (underWay.get(uid) ?? 0) - 1
      if (left > 0) underWay.set(uid, left)
      else underWay.delete(uid)
    }
  }

  async function* pagesOf(uid: UserId, sid: SessionId, requestId: string): AsyncGenerator<MessageView[]> {
    try {
      for (let after = 0; ; ) {
        const turns = await deps.conversations.turns(sid, { after, limit: PAGE, current: true })
        // It may have been erased meanwhile: what is left of it must not pass for what was said.
        await ownSession(deps, uid, sid)
        const last = turns.at(-1)
        if (!last) return
        yield turns.flatMap(messagesOf)
        after = last.seq + last.width - 1
      }
    } catch (err) {
      // Too late for an error in words: the file is cut off, which whoever reads it can tell.
      deps.log.error({ err, requestId }, 'an export was broken off')
      throw err
    }
  }

  return [
    route({
      method: 'GET',
      path: '/chat/sessions/:sid/export',
      name: 'exportSession',
      summary: 'The whole session as a file. One that is cut off in the middle is not valid: ask again.',
      access: 'user',
      params: inSession,
      query,
      answer: download({ 'application/json': sessionExport, 'text/markdown': undefined }),
      refusals: ['not_found'],
      async handle({ uid, params: { sid }, query: { format }, requestId }) {
        const session = sessionViewOf(await ownSession(deps, uid, sid))
        const { type, extension, write } = formats[format]
        const pieces = write(session, Date.now(), pagesOf(uid, sid, requestId))
        return { type, name: `chat-${sid}.${extension}`, pieces, over: enter(uid) }
      },
    }),
  ]
}
