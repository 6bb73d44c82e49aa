import { Refusal, type SessionId, sessionViewOf, type UserId } from '@chatbox/core'
import { readMark, sessionBody, sessionChange } from '@chatbox/protocol'
import { json, nothing } from '../answers.ts'
import { type Route, route } from '../route.ts'
import { inSession, ownSession, type RestDeps } from './parts.ts'

/**
 * What changes a session as a whole. Whose it is, and whether it may be changed, is judged where the entry is applied, after what was
 * asked before; here it is only read back.
 */
export function changingRoutes(deps: RestDeps): Route[] {
  const { changes, models } = deps
  const shown = async (uid: UserId, sid: SessionId) => ({ session: sessionViewOf(await ownSession(deps, uid, sid)) })

  return [
    route({
      method: 'PATCH',
      path: '/chat/sessions/:sid',
      name: 'changeSession',
      summary: 'Gives the session another name, or another model from now on, or both.',
      access: 'user',
      params: inSession,
      body: sessionChange,
      answer: json(sessionBody),
      refusals: ['not_found', 'session_ended'],
      async handle({ uid, params: { sid }, body: { name, modelId }, asker }) {
        if (modelId !== undefined) {
          if (!models.has(modelId)) throw new Refusal('not_found', { field: 'modelId' })
          // First what may be refused, so that nothing is half done.
          await changes.ask({ kind: 'session.model', uid, sid, modelId }, asker('model'))
        }
        if (name !== undefined) await changes.ask({ kind: 'session.rename', uid, sid, name }, asker('name'))
        return shown(uid, sid)
      },
    }),
    route({
      method: 'POST',
      path: '/chat/sessions/:sid/read',
      name: 'markRead',
      summary: 'Says that everything up to `seq` was read. Never takes that back.',
      access: 'user',
      params: inSession,
      body: readMark,
      answer: json(sessionBody),
      refusals: ['not_found'],
      async handle({ uid, params: { sid }, body: { seq }, asker }) {
        await changes.ask({ kind: 'session.read', uid, sid, seq }, asker())
        return shown(uid, sid)
      },
    }),
    route({
      method: 'POST',
      path: '/chat/sessions/:sid/end',
      name: 'endSession',
      summary: 'Ends the session. It takes no more messages; answers that are being written are cancelled.',
      access: 'user',
      params: inSession,
      answer: json(sessionBody),
      refusals: ['not_found'],
      async handle({ uid, params: { sid }, asker }) {
        await changes.ask({ kind: 'session.end', uid, sid }, asker())
        return shown(uid, sid)
      },
    }),
    route({
      method: 'DELETE',
      path: '/chat/sessions/:sid',
      name: 'eraseSession',
      summary: 'Erases the session and everything that was said in it, for good.',
      access: 'user',
      params: inSession,
      answer: nothing,
      refusals: ['not_found'],
      handle: ({ uid, params: { sid }, asker }) => changes.ask({ kind: 'session.erase', uid, sid }, asker()),
    }),
    route({
      method: 'DELETE',
      path: '/chat/me',
      name: 'eraseMe',
      summary: 'Erases all your sessions and what is left of you here, for good.',
      access: 'user',
      answer: nothing,
      refusals: [],
      handle: ({ uid, asker }) => changes.ask({ kind: 'user.erase', uid }, asker()),
    }),
  ]
}
