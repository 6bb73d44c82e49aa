import { type AnswerId, answerId, answerViewOf, Refusal, type SessionId, type Turn, type UserId } from '@chatbox/core'
import { answerBody, feedbackChange } from '@chatbox/protocol'
import { json } from '../answers.ts'
import type { Asker } from '../asker.ts'
import { type Route, route } from '../route.ts'
import { inMessage, ownSession, type RestDeps } from './parts.ts'

const PATH = '/chat/sessions/:sid/messages/:seq/feedback'

/** What users think of answers. */
export function feedbackRoutes(deps: RestDeps): Route[] {
  /** The answer that stands at this place, which is the one after its question. */
  async function answered(sid: SessionId, seq: number): Promise<Required<Pick<Turn, 'answer'>> & Turn> {
    const turn = await deps.conversations.turn(sid, seq - 1)
    if (turn?.width !== 2 || !turn.answer) throw new Refusal('not_found')
    return { ...turn, answer: turn.answer }
  }

  interface Rating {
    readonly uid: UserId
    readonly sid: SessionId
    readonly seq: number
    readonly feedback: { readonly rating: 'up' | 'down'; readonly comment?: string } | null
    /** The one that was seen, if that was said. */
    readonly seen?: AnswerId | undefined
  }

  async function rate({ uid, sid, seq, feedback, seen }: Rating, asker: Asker) {
    await ownSession(deps, uid, sid)
    const { answer } = await answered(sid, seq)
    if (seen !== undefined && seen !== answer.answerId) throw new Refusal('conflict', { field: 'answerId' })
    await deps.changes.ask({ kind: 'answer.feedback', uid, sid, answerId: answer.answerId, feedback }, asker)
    const rated = await answered(sid, seq)
    return { message: answerViewOf(rated, rated.answer) }
  }

  return [
    route({
      method: 'PUT',
      path: PATH,
      name: 'rateAnswer',
      summary: 'Says what you think of an answer that is done, in place of what you said before.',
      access: 'user',
      params: inMessage,
      body: feedbackChange,
      answer: json(answerBody),
      refusals: ['not_found', 'conflict'],
      handle({ uid, params, body: { rating, comment, answerId: seen }, asker }) {
        const feedback = { rating, ...(comment !== undefined && { comment }) }
        return rate({ uid, ...params, feedback, ...(seen !== undefined && { seen: answerId(seen) }) }, asker())
      },
    }),
    route({
      method: 'DELETE',
      path: PATH,
      name: 'takeBackRating',
      summary: 'Takes back what you said of an answer.',
      access: 'user',
      params: inMessage,
      answer: json(answerBody),
      refusals: ['not_found', 'conflict'],
      handle: ({ uid, params, asker }) => rate({ uid, ...params, feedback: null }, asker()),
    }),
  ]
}
