import {
  messageEvent,
  newSession,
  type Origin,
  planSend,
  Refusal,
  type ReplyTo,
  type SendEntry,
  type Session,
  sameBody,
  type Turn,
  Unavailable,
  type UserId,
  withTurn,
} from '@chatbox/core'
import { overBudget } from '../budget.ts'
import { projectTurn } from '../project.ts'
import { startAnswer } from '../queue.ts'
import { announce, type Circumstances, settle, type Work } from '../work.ts'

/** A message: written once, then announced, queued and projected by one path for first and repeated sendings (R8). */
export async function send(work: Work, entry: SendEntry, { until, triedBefore }: Circumstances): Promise<void> {
  const turn = await write(work, entry, until, { unsure: triedBefore })
  await afterSend(work, entry.uid, turn, originOf(entry.replyTo))
}

/** What follows from a message that is stored, for the first time or again. */
export async function afterSend(work: Work, uid: UserId, turn: Turn, origin?: Origin): Promise<void> {
  await announce(work, uid, messageEvent(turn, origin))
  if (turn.answer?.due !== undefined) await startAnswer(work, turn)
  await projectTurn(work, turn)
  await settle(work, turn)
}

const originOf = (to: ReplyTo | undefined) => to && { connectionId: to.connectionId, requestId: to.requestId }

/** Ends with the row as it is stored, or refuses. A lost race forgets what was known, and begins again (R1). */
async function write(work: Work, entry: SendEntry, until: number | undefined, attempt: Attempt): Promise<Turn> {
  for (;;) {
    // Past its time it is not written any more, but it may have been, or may yet be: the last attempt's answer may be what was lost (R9).
    if (until !== undefined && work.now() > until) {
      return repetitionOr(work, entry, new Refusal(attempt.unsure ? 'unavailable' : 'expired'))
    }
    try {
      const turn = await tryToWrite(work, entry, until, attempt)
      if (turn) return turn
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      work.states.forget(entry.sid)
    }
  }
}

interface Attempt {
  /** The database did not say whether it has inserted the turn, and may still be at it. */
  unsure: boolean
}

/** Undefined when somebody else was faster at this place. */
async function tryToWrite(
  work: Work,
  entry: SendEntry,
  until: number | undefined,
  attempt: Attempt,
): Promise<Turn | undefined> {
  const session = await sessionOf(work, entry, until)
  if (!session) return repetitionOr(work, entry, new Refusal('not_found'))
  const { modelId } = entry.said
  if (modelId !== undefined && !work.models.has(modelId)) {
    return repetitionOr(work, entry, new Refusal('not_found', { field: 'modelId' }))
  }
  const state = await work.insist('read session', () => work.states.get(entry.sid), until)
  if (!state) return undefined
  const plan = planSend(state.session, state.totals, entry.said, work.now(), work.answerLimits)
  if (plan.kind === 'refuse') return repetitionOr(work, entry, new Refusal(plan.code))
  if (plan.turn.answer && (await overBudget(work, entry.uid, until))) {
    return repetitionOr(work, entry, new Refusal('budget_exceeded'))
  }

  const insert = () =>
    work.conversations.insertTurn(plan.turn).catch((error: unknown) => {
      attempt.unsure = true
      throw error
    })
  const inserted = await work.insist('insert turn', insert, until)
  if (inserted.kind === 'inserted') {
    work.states.keep(entry.sid, { session: state.session, totals: withTurn(state.totals, plan.turn) })
    return plan.turn
  }
  work.states.forget(entry.sid)
  return inserted.kind === 'sent-before' ? repetitionOr(work, entry, new Refusal('unavailable')) : undefined
}

/** What can't be written may have been accepted before: then that is the answer, whatever has happened since (P2). */
async function repetitionOr(work: Work, entry: SendEntry, refusal: Refusal): Promise<Turn> {
  const { authorId, cmid } = entry.said
  const stored = await work.insist('look up message', () => work.conversations.turnByClientMessageId(authorId, cmid))
  if (!stored) throw refusal
  if (!sameBody(stored, entry.said)) throw new Refusal('conflict')
  // Whoever has written it, and what has become of it since, need not be what is remembered here.
  work.states.forget(entry.sid)
  return stored
}

async function sessionOf(work: Work, entry: SendEntry, until: number | undefined): Promise<Session | undefined> {
  const { sid, uid, said, fresh } = entry
  const known = await work.insist('read session', () => work.states.get(sid), until)
  if (known) return known.session.uid === uid ? known.session : undefined
  if (!fresh) return undefined
  const model = said.modelId ?? work.models.defaultId
  await work.insist(
    'create session',
    () => work.conversations.createSession(newSession(sid, uid, work.partition, model, work.now())),
    until,
  )
  const made = await work.insist('read session', () => work.states.get(sid), until)
  return made?.session.uid === uid ? made.session : undefined
}
