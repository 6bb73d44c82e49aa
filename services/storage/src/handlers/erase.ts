import {
  type EraseSessionEntry,
  type EraseUserEntry,
  type Job,
  Refusal,
  recordIn,
  requestId,
  type Session,
  type SessionId,
  sessionUpdatedEvent,
  type Turn,
  type TurnPlace,
  Unopenable,
  type UserId,
} from '@chatbox/core'
import { fence } from '../fence.ts'
import { changeRow } from '../project.ts'
import { jobOf } from '../queue.ts'
import { announce, settle, type Work } from '../work.ts'
import { systemLine } from './system-line.ts'

/** Who wanted it, for the audit. */
export type ErasedBy = 'user' | 'retention' | 'sweeper'

export async function eraseSession(work: Work, { uid, sid }: EraseSessionEntry): Promise<void> {
  const state = await work.insist('read session', () => work.states.get(sid))
  if (state?.session.uid !== uid) throw new Refusal('not_found')
  await erase(work, sid, 'user')
}

/**
 * Everything that the user has, and then the user's id in what is left of it. Sessions that come after this entry are new ones. What is
 * asked for again goes on where the first time was broken off.
 */
export async function eraseUser(work: Work, { uid, requestId: request }: EraseUserEntry): Promise<void> {
  let sessions = 0
  for (;;) {
    const found = await work.insist('find sessions', () => work.conversations.erasable({ uid, limit: PAGE }))
    if (found.length === 0) break
    for (const sid of found) await erase(work, sid, 'user')
    sessions += found.length
  }
  await finishErasures(work, uid)
  const alias = work.aliasOf(uid)
  await work.insist('forget user', () => work.conversations.forgetUser(uid, alias))
  // What was said of the erased sessions to the devices that are there names no user, and goes all the same.
  await work.insist('forget log', () => work.fabric.bus.forget(uid))
  await record(work, {
    requestId: request,
    ts: work.now(),
    actor: 'user',
    action: 'user.erased',
    uid: alias,
    detail: { sessions },
  })
}

const PAGE = 100

/** Those that broke off: while the user's id is still known, for the fabric keeps things by it. */
async function finishErasures(work: Work, uid: UserId): Promise<void> {
  let after: TurnPlace | undefined
  for (;;) {
    const page = await work.insist('find turns', () => work.conversations.unsettledOf(work.partition, PAGE, after))
    for (const turn of page) if (turn.event === 'erased' && turn.authorId === uid) await erase(work, turn.sid, 'user')
    const last = page.at(-1)
    if (!last || page.length < PAGE) return
    after = { ts: last.ts, sid: last.sid, seq: last.seq }
  }
}

/**
 * R22. First a row that says so, unsettled, at a place that nobody else can take then: whatever is lost from here on, the sweeper goes on
 * with it. Then nothing more is said in the session, then its key goes, then the values, then what the fabric holds. Repeating it from
 * any point leads to the same end.
 */
export async function erase(work: Work, sid: SessionId, by: ErasedBy): Promise<void> {
  const stub = await erasedLine(work, sid)
  if (!stub) return
  const jobs = await pendingJobs(work, sid)
  // Devices hear of it at the end: what a worker says until it is fenced would come after it.
  const erased = await changeRow(work, sid, (row) => (row.erased ? {} : gone(row)))
  if (!erased) return
  const { uid } = erased
  await fence(work, uid, sid, erased.ownerEpoch)
  await work.insist('erase turns', () => work.conversations.eraseTurns(sid, stub))
  work.states.forget(sid)
  await work.insist('forget answers', () => work.fabric.answers.forget(uid, sid))
  for (const job of jobs) await work.insist('drop job', () => work.fabric.jobs.drop(job))
  // The log holds what was said in the user's other sessions too; devices load again, and find those in the database.
  await work.insist('forget log', () => work.fabric.bus.forget(uid))
  const left = await work.insist('read session', () => work.conversations.session(sid))
  if (left) await announce(work, uid, sessionUpdatedEvent(left))
  await record(work, {
    requestId: requestId(`erase.${sid}`),
    ts: stub.ts,
    actor: by,
    action: 'session.erased',
    uid: work.aliasOf(uid),
    sid,
    detail: { messages: erased.msgCount },
  })
  work.metrics.erased.inc({ by })
  await settle(work, stub)
}

const gone = ({ ownerEpoch }: Session) => ({
  erased: true,
  ownerEpoch: ownerEpoch + 1,
  nm: null,
  preview: null,
  share: null,
  assistingAdminName: null,
})

const record = (work: Work, entry: Parameters<typeof recordIn>[2]) =>
  work.insist('audit', () => recordIn(work.audit, work.partition, entry))

/** Undefined where the erasure is through already. */
async function erasedLine(work: Work, sid: SessionId): Promise<Turn | undefined> {
  for (;;) {
    const state = await work.insist('read session', () => work.states.get(sid))
    if (!state) return undefined
    const { session, totals } = state
    const line = systemLine(session, totals.nextSeq, work.now(), 'erased', '')
    try {
      const last = await work.insist('read turn', () => work.conversations.turn(sid, totals.lastSeq))
      if (last?.event === 'erased') return last.unsettled ? last : undefined
      const inserted = await work.insist('insert turn', () => work.conversations.insertTurn(line))
      work.states.forget(sid)
      if (inserted.kind === 'inserted') return line
    } catch (error) {
      if (!isClosed(error)) throw error
      // Then its key goes at once, and the row that says so is written without one. From there on it is like any other.
      await work.insist('erase turns', () => work.conversations.eraseTurns(sid, line))
      work.states.forget(sid)
    }
  }
}

/** Nothing can be read of a session that is damaged, or be added to one whose key is gone: that must not keep it from being erased. */
const isClosed = (error: unknown): boolean =>
  error instanceof Unopenable || (error instanceof Refusal && error.code === 'not_found')

/** Asked for while it still shows which they are. */
async function pendingJobs(work: Work, sid: SessionId): Promise<Job[]> {
  const state = await work.insist('read session', () => work.states.get(sid))
  const turns = await Promise.all((state?.totals.pending ?? []).map(({ seq }) => turnIfItOpens(work, sid, seq)))
  return turns.flatMap((turn) => (turn?.answer ? [jobOf({ ...turn, answer: turn.answer })] : []))
}

/** The job of one that does not open stays: whoever takes it finds nothing to do. */
async function turnIfItOpens(work: Work, sid: SessionId, seq: number): Promise<Turn | undefined> {
  try {
    return await work.insist('read turn', () => work.conversations.turn(sid, seq))
  } catch (error) {
    if (error instanceof Unopenable) return undefined
    throw error
  }
}
