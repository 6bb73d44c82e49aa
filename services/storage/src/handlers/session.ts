import {
  type AnswerEnd,
  type ClosedAnswer,
  type EndSessionEntry,
  endIn,
  type ModelEntry,
  messageEvent,
  type ReadEntry,
  Refusal,
  type RenameEntry,
  type ReplyTo,
  type SessionId,
  type ShareEntry,
  type Turn,
  textOf,
  usageOfClosed,
  withTurn,
} from '@chatbox/core'
import { endAnswer } from '../end-answer.ts'
import { fence } from '../fence.ts'
import { changeSession } from '../project.ts'
import { announce, settle, type Work } from '../work.ts'
import { ownSession } from './own.ts'
import { systemLine } from './system-line.ts'

export async function chooseModel(work: Work, { uid, sid, modelId, replyTo }: ModelEntry): Promise<void> {
  if (!work.models.has(modelId)) throw new Refusal('not_found', { field: 'modelId' })
  const { session } = await ownSession(work, sid, uid)
  if (session.endTs !== undefined) throw new Refusal('session_ended')
  await changeSession(work, sid, () => ({ modelId }), replyTo)
}

export async function rename(work: Work, { uid, sid, name, replyTo }: RenameEntry): Promise<void> {
  await ownSession(work, sid, uid)
  await changeSession(work, sid, () => ({ nm: name }), replyTo)
}

export async function share(work: Work, { uid, sid, share: link, replyTo }: ShareEntry): Promise<void> {
  await ownSession(work, sid, uid)
  await changeSession(work, sid, () => ({ share: link }), replyTo)
}

export async function markRead(work: Work, { uid, sid, seq, replyTo }: ReadEntry): Promise<void> {
  const { totals } = await ownSession(work, sid, uid)
  const upTo = Math.min(seq, totals.nextSeq - 1)
  await changeSession(work, sid, (session) => ({ readSeq: Math.max(session.readSeq, upTo) }), replyTo)
}

/**
 * The user ends the session (R20): the row that says so and a higher owner epoch in the database first, then the fence in the fabric, which
 * gives the exact texts of what was being written, then those texts. Repeating it from any point leads to the same end.
 */
export async function endSession(work: Work, { uid, sid, replyTo }: EndSessionEntry): Promise<void> {
  await ownSession(work, sid, uid)
  await finishEnding(work, sid, replyTo)
}

export async function finishEnding(work: Work, sid: SessionId, replyTo?: ReplyTo): Promise<void> {
  const state = await work.insist('read session', () => work.states.get(sid))
  if (!state || state.session.erased) return
  const { uid, endTs = work.now() } = state.session
  const line = await endedLine(work, sid, endTs)
  const ended = await changeSession(
    work,
    sid,
    (row) => (row.endTs === undefined ? { endTs, ownerEpoch: row.ownerEpoch + 1 } : {}),
    replyTo,
  )
  if (!ended) return
  const closed = await fence(work, uid, sid, ended.ownerEpoch)
  const ends = new Map(closed.map((answer) => [answer.ref.answerId, endOf(work, answer)]))
  for (;;) {
    const state = await work.insist('read session', () => work.states.get(sid))
    const pending = state?.totals.pending[0]
    if (!pending) break
    const { answerId, seq } = pending
    // One that the fence had closed before, or that nobody has begun, gives its text when it is closed by itself.
    const ref = { uid, sid, answerId, seq: seq + 1 }
    const end = ends.get(answerId) ?? endOf(work, await work.insist('close', () => work.fabric.answers.close(ref)))
    await endAnswer(work, { uid, sid, answerId, end })
  }
  if (line) await settle(work, line)
}

/** What its worker had recorded as the end, or else exactly what was shown until it was closed. */
function endOf(work: Work, closed: ClosedAnswer): AnswerEnd {
  const { end, chunks } = closed
  if (end) return endIn(end)
  const usage = usageOfClosed(closed)
  return { status: 'cancelled', text: textOf(chunks), endedAt: work.now(), ...(usage && { usage }) }
}

const END_OF_SESSION = 'The conversation was ended.'

/** What must have an order is a row (R1). Found again if it was written before; nothing follows it any more where the session has ended. */
async function endedLine(work: Work, sid: SessionId, ts: number): Promise<Turn | undefined> {
  for (;;) {
    const state = await work.insist('read session', () => work.states.get(sid))
    if (!state) return undefined
    const { session, totals } = state
    const last = await work.insist('read turn', () => work.conversations.turn(sid, totals.lastSeq))
    if (session.endTs !== undefined && last?.event !== 'ended') return undefined
    const line = last?.event === 'ended' ? last : systemLine(session, totals.nextSeq, ts, 'ended', END_OF_SESSION)
    if (last?.event !== 'ended') {
      const inserted = await work.insist('insert turn', () => work.conversations.insertTurn(line))
      if (inserted.kind !== 'inserted') {
        work.states.forget(sid)
        continue
      }
      work.states.keep(sid, { session, totals: withTurn(totals, line) })
    }
    await announce(work, session.uid, messageEvent(line))
    return line
  }
}
