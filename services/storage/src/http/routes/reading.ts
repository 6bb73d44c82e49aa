import { sessionViewOf } from '@chatbox/core'
import { messagePage, sessionBody, sessionPage } from '@chatbox/protocol'
import { z } from 'zod'
import { json } from '../answers.ts'
import { type Route, route } from '../route.ts'
import { cursorOf, parseCursor } from './cursor.ts'
import { messagePageOf } from './paging.ts'
import { inSession, ownSession, pageQuery, type RestDeps, upTo } from './parts.ts'

const listQuery = z.strictObject({ limit: upTo(100, 30), cursor: z.string().max(200).optional() })

/** Lists and history, for the user whose they are. */
export const readingRoutes = (deps: RestDeps): Route[] => [
  route({
    method: 'GET',
    path: '/chat/sessions',
    name: 'listSessions',
    summary: 'Your sessions, the latest activity first. `cursor` of a page leads to the next one.',
    access: 'user',
    query: listQuery,
    answer: json(sessionPage),
    refusals: [],
    async handle({ uid, query }) {
      const after = query.cursor === undefined ? undefined : parseCursor(query.cursor)
      const rows = await deps.conversations.listSessions(uid, { limit: query.limit + 1, ...(after && { after }) })
      const page = rows.slice(0, query.limit)
      const last = page.at(-1)
      return {
        sessions: page.map(sessionViewOf),
        ...(rows.length > query.limit && last && { cursor: cursorOf(last) }),
      }
    },
  }),
  route({
    method: 'GET',
    path: '/chat/sessions/:sid',
    name: 'readSession',
    summary: 'One session.',
    access: 'user',
    params: inSession,
    answer: json(sessionBody),
    refusals: ['not_found'],
    handle: async ({ uid, params }) => ({ session: sessionViewOf(await ownSession(deps, uid, params.sid)) }),
  }),
  route({
    method: 'GET',
    path: '/chat/sessions/:sid/messages',
    name: 'listMessages',
    summary: 'Messages by rising `seq`: those just below `before`, just above `after`, or the latest.',
    access: 'user',
    params: inSession,
    query: pageQuery,
    answer: json(messagePage),
    refusals: ['not_found'],
    async handle({ uid, params, query }) {
      const { sid } = await ownSession(deps, uid, params.sid)
      const page = await messagePageOf(deps.conversations, sid, query)
      // What was erased while it was read must not pass for a conversation in which nothing was said.
      await ownSession(deps, uid, params.sid)
      return page
    },
  }),
]
