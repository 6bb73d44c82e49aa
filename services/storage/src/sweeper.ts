import {
  type AnswerEnd,
  type AnswerRecord,
  type AnswerRef,
  sweep,
  type Turn,
  type TurnPlace,
  textOf,
  type UserId,
} from '@chatbox/core'
import type { ErrorCode } from '@chatbox/protocol'
import type { Chains } from './chains.ts'
import type { StorageTimes } from './deps.ts'
import { endAnswer } from './end-answer.ts'
import { followUp } from './follow-up.ts'
import { afterSend } from './handlers/send.ts'
import { jobOf, queueAgain, startAnswer } from './queue.ts'
import { LostPartition, type Work } from './work.ts'

const PAGE = 200

type PendingTurn = Turn & { readonly answer: NonNullable<Turn['answer']> }

/**
 * Finds answers of the partition that nobody would end any more (P5, R17), and turns from which something had to follow that did not
 * (decision 10), at once and then on an interval.
 */
export function sweepPartition(work: Work, tasks: Chains, times: StorageTimes): { stop(): void } {
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  const again = () => {
    if (stopped) return
    timer = setTimeout(sweepOnce, times.sweepMs)
  }
  const sweepOnce = () => {
    void sweepAll(work, tasks, () => stopped)
      .catch((err) => {
        if (!stopped && !(err instanceof LostPartition)) work.log.warn({ err }, 'a sweep failed')
      })
      .finally(again)
  }
  sweepOnce()
  return {
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

async function sweepAll(work: Work, tasks: Chains, stopped: () => boolean): Promise<void> {
  let after: TurnPlace | undefined
  // Only the first that waits in a session has its turn; the others wait rightly (R16).
  const sessionsSeen = new Set<string>()
  /** In line with the user's entries, so that the two never work on one turn at once. */
  const inLine = (uid: UserId, task: () => Promise<void>) =>
    new Promise<void>((resolve, reject) => {
      if (stopped()) return resolve()
      tasks.run(uid, () => task().then(resolve, reject))
    })
  while (!stopped()) {
    const page = await work.conversations.unsettledOf(work.partition, PAGE, after)
    const pending = page.filter((turn): turn is PendingTurn => turn.answer?.status === 'pending')
    const first = pending.filter((turn) => !sessionsSeen.has(turn.sid) && sessionsSeen.add(turn.sid))
    const through = page.filter((turn) => turn.answer?.status !== 'pending')
    await Promise.all([
      ...(await seen(work, first)).map(({ turn, ...state }) => inLine(ownerOf(turn), () => act(work, turn, state))),
      ...through.map(async (turn) => inLine(await userOf(work, turn), () => again(work, turn))),
    ])
    const last = page.at(-1)
    if (!last || page.length < PAGE) return
    after = { ts: last.ts, sid: last.sid, seq: last.seq }
  }
}

/** A turn that has an answer was written by the session's user. */
const ownerOf = (turn: Turn) => turn.authorId

async function userOf(work: Work, { sid, author, authorId }: Turn): Promise<UserId> {
  if (author === 'user') return authorId
  const state = await work.insist('read session', () => work.states.get(sid))
  return state?.session.uid ?? authorId
}

/** The entry that would have done it is done by now, if it was there, because its user's tasks are in line. */
async function again(work: Work, { sid, seq }: Turn): Promise<void> {
  const turn = await work.insist('read turn', () => work.conversations.turn(sid, seq))
  if (!turn?.unsettled || turn.answer?.status === 'pending') return
  work.metrics.swept.inc({ verdict: 'settle' })
  work.log.info({ sid, seq, event: turn.event }, 'doing again what should have followed from a turn')
  await followUp(work, turn)
}

const refOf = (turn: PendingTurn): AnswerRef => ({
  uid: ownerOf(turn),
  sid: turn.sid,
  answerId: turn.answer.answerId,
  seq: turn.seq + 1,
})

interface Seen {
  readonly record: AnswerRecord | undefined
  readonly jobExists: boolean
}

async function seen(work: Work, turns: readonly PendingTurn[]): Promise<(Seen & { turn: PendingTurn })[]> {
  if (turns.length === 0) return []
  const [records, jobs] = await Promise.all([
    work.fabric.answers.inspect(turns.map(refOf)),
    work.fabric.jobs.exists(turns.map(jobOf)),
  ])
  return turns.map((turn, i) => ({ turn, record: records[i], jobExists: jobs[i] ?? false }))
}

async function act(work: Work, turn: PendingTurn, state: Seen): Promise<void> {
  // The page may have been read in another order than the session's, or before somebody else acted.
  const known = await work.insist('read session', () => work.states.get(turn.sid))
  if (known?.totals.pending[0]?.answerId !== turn.answer.answerId) return
  const verdict = sweep(turn.answer, state, work.now(), work.answerLimits)
  const { sid, answer } = turn
  if (verdict !== 'leave') work.metrics.swept.inc({ verdict })
  switch (verdict) {
    case 'leave':
      return
    case 'apply-end': {
      const recorded = state.record?.end
      if (!recorded) return
      // Written by a worker, under seal.
      const end: AnswerEnd = JSON.parse(Buffer.from(recorded.body).toString('utf8'))
      const { answerId, attempt } = recorded.header
      await endAnswer(work, { uid: ownerOf(turn), sid, answerId, attempt, end })
      return
    }
    case 'cancel':
      return closeAnswer(work, turn, 'cancelled')
    case 'overdue':
      return closeAnswer(work, turn, 'failed', answer.attempt === 0 ? 'queue_timeout' : 'provider_timeout')
    case 'crashed-too-often':
      return closeAnswer(work, turn, 'failed', 'answer_lost')
    case 'queue':
      work.log.info(
        { sid, answerId: answer.answerId, attempt: answer.attempt, n: answer.n },
        'queueing an answer again',
      )
      // Its message was stored, and perhaps nobody was told.
      if (answer.attempt === 0 && answer.n === 0) await afterSend(work, ownerOf(turn), turn)
      return answer.due === undefined ? startAnswer(work, turn) : queueAgain(work, turn)
  }
}

/** Ended in the fabric first, so that the stored text is exactly what devices were shown; then in the database; then announced. */
async function closeAnswer(work: Work, turn: PendingTurn, status: 'failed' | 'cancelled', error?: ErrorCode) {
  const ref = refOf(turn)
  const closed = await work.fabric.answers.close(ref)
  const end = { status, text: textOf(closed.chunks), endedAt: work.now(), ...(error && { error }) }
  work.log.warn(
    { sid: turn.sid, answerId: ref.answerId, status, error },
    'ending an answer that nobody would have ended',
  )
  await endAnswer(work, { uid: ref.uid, sid: ref.sid, answerId: ref.answerId, end })
}
