import { createHash } from 'node:crypto'
import { Refusal, type Session, sessionViewOf } from '@chatbox/core'
import {
  type MessageView,
  type SharedMessageView,
  sessionBody,
  shareBody,
  sharedMessagePage,
  sharedSessionBody,
  shareRequest,
} from '@chatbox/protocol'
import { z } from 'zod'
import { json } from '../answers.ts'
import { linkTokens } from '../asker.ts'
import { type Route, route } from '../route.ts'
import { messagePageOf } from './paging.ts'
import { inSession, ownSession, pageQuery, type RestDeps } from './parts.ts'

/** What a link holds is told once; what is kept of it opens nothing. */
const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url')

const byLink = z.strictObject({ token: z.string().regex(/^[A-Za-z0-9_-]{43}$/) })

/** Links that let anybody read a session, and what is read through them. */
export function shareRoutes(deps: RestDeps): Route[] {
  const { changes, conversations, disabled } = deps

  /** A link that has run out, that was taken back, or whose session or user is gone, leads as little anywhere as one that never was. */
  async function shared(token: string): Promise<Session & Required<Pick<Session, 'share'>>> {
    if (!disabled.known) throw new Refusal('unavailable')
    const session = await conversations.sessionByShare(hashOf(token))
    const { share } = session ?? {}
    if (!session || !share || share.hash !== hashOf(token) || share.until <= Date.now()) throw new Refusal('not_found')
    if (session.erased || disabled.has(session.uid)) throw new Refusal('not_found')
    return { ...session, share }
  }

  return [
    route({
      method: 'POST',
      path: '/chat/sessions/:sid/share',
      name: 'shareSession',
      summary: 'Makes a link through which anybody can read the session. An earlier link leads nowhere from then on.',
      access: 'user',
      params: inSession,
      body: shareRequest,
      answer: json(shareBody),
      refusals: ['not_found', 'conflict'],
      async handle({ uid, params: { sid }, body: { expiresInSeconds }, asker }) {
        const now = Date.now()
        const asking = asker()
        const tokens = linkTokens(deps.requestSecret, asking, now)
        const share = { hash: hashOf(tokens[0]), until: now + expiresInSeconds * 1_000 }
        await changes.ask({ kind: 'session.share', uid, sid, share }, asking)
        const { share: kept } = await ownSession(deps, uid, sid)
        const token = tokens.find((candidate) => hashOf(candidate) === kept?.hash)
        // Another device has made another link since, or has taken this one back.
        if (!kept || token === undefined) throw new Refusal('conflict')
        return { token, path: `/chat/shared/${token}`, until: kept.until }
      },
    }),
    route({
      method: 'DELETE',
      path: '/chat/sessions/:sid/share',
      name: 'stopSharing',
      summary: 'Takes the link back.',
      access: 'user',
      params: inSession,
      answer: json(sessionBody),
      refusals: ['not_found'],
      async handle({ uid, params: { sid }, asker }) {
        await changes.ask({ kind: 'session.share', uid, sid, share: null }, asker())
        return { session: sessionViewOf(await ownSession(deps, uid, sid)) }
      },
    }),
    route({
      method: 'GET',
      path: '/chat/shared/:token',
      name: 'readShared',
      summary: 'The session that a link leads to.',
      access: 'anybody',
      params: byLink,
      answer: json(sharedSessionBody),
      refusals: ['not_found'],
      async handle({ params }) {
        const { nm, ts, endTs, msgCount, share } = await shared(params.token)
        return {
          session: {
            ...(nm !== undefined && { name: nm }),
            startedAt: ts,
            ...(endTs !== undefined && { endedAt: endTs }),
            messageCount: msgCount,
            until: share.until,
          },
        }
      },
    }),
    route({
      method: 'GET',
      path: '/chat/shared/:token/messages',
      name: 'listSharedMessages',
      summary: 'Messages of the session that a link leads to, in the way of `listMessages`.',
      access: 'anybody',
      params: byLink,
      query: pageQuery,
      answer: json(sharedMessagePage),
      refusals: ['not_found'],
      async handle({ params, query }) {
        const { sid } = await shared(params.token)
        const { messages, more } = await messagePageOf(conversations, sid, query)
        // It may have been taken back, or erased, while it was read.
        await shared(params.token)
        return { messages: messages.map(sharedViewOf), more }
      },
    }),
  ]
}

/** Made of what may be seen, rather than of everything without what may not: a new field is nobody's business until somebody says so. */
function sharedViewOf(message: MessageView): SharedMessageView {
  const { seq, ts, author, kind, text } = message
  if (message.author === 'assistant') return { seq, ts, author, kind, text, status: message.status }
  const { files, name, event } = message
  return {
    seq,
    ts,
    author,
    kind,
    text,
    ...(files && {
      files: files.map((file) => ({
        ...(file.name !== undefined && { name: file.name }),
        ...(file.mimeType !== undefined && { mimeType: file.mimeType }),
      })),
    }),
    ...(name !== undefined && { name }),
    ...(event !== undefined && { event }),
  }
}
