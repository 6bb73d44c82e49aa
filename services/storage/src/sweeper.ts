import { setTimeout as pause } from 'node:timers/promises'
import { type Turn, type TurnPlace, Unopenable, type UserId } from '@chatbox/core'
import type { Chains } from './chains.ts'
import type { StorageTimes } from './deps.ts'
import { followUp } from './follow-up.ts'
import { act, isPending, leaveFor, ownerOf, seen, wantsAction } from './sweep-answer.ts'
import { LostPartition, type Work } from './work.ts'

const PAGE = 200

/**
 * Finds answers of the partition that nobody would end any more (P5, R17), and turns from which something had to follow that did not
 * (decision 10), at once and then on an interval.
 */
export function sweepPartition(work: Work, tasks: Chains, times: StorageTimes): { stop(): void } {
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  const acting = new Set<string>()
  const again = () => {
    if (stopped) return
    timer = setTimeout(sweepOnce, times.sweepMs)
  }
  const sweepOnce = () => {
    void sweepAll({ work, tasks, acting, waitMs: times.sweepMs, stopped: () => stopped })
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

interface Sweep {
  readonly work: Work
  readonly tasks: Chains
  /** Turns that an earlier sweep is not done with. */
  readonly acting: Set<string>
  /** How long a page is waited for. */
  readonly waitMs: number
  stopped(): boolean
}

const nameOf = ({ sid, seq }: Turn): string => `${sid} ${seq}`

async function sweepAll(sweep: Sweep): Promise<void> {
  const { work, acting, waitMs, stopped } = sweep
  let after: TurnPlace | undefined
  // Only the first that waits in a session has its turn; the others wait rightly (R16).
  const sessionsSeen = new Set<string>()
  while (!stopped()) {
    const page = await work.conversations.unsettledOf(work.partition, PAGE, after)
    const isFree = (turn: Turn) => !acting.has(nameOf(turn))
    const first = page
      .filter(isPending)
      .filter((turn) => !sessionsSeen.has(turn.sid) && sessionsSeen.add(turn.sid))
      .filter(isFree)
    const through = page.filter((turn) => !isPending(turn)).filter(isFree)
    const actions = [
      ...(await seen(work, first))
        .filter((sight) => wantsAction(work, sight))
        .map(({ turn }) =>
          doInLine(
            sweep,
            turn,
            async () => ownerOf(turn),
            () => act(work, turn),
          ),
        ),
      ...through.map((turn) =>
        doInLine(
          sweep,
          turn,
          () => userOf(work, turn),
          () => again(work, turn),
        ),
      ),
    ]
    // One whose part of a store is away may take as long as that; the others are not to wait for it (R8).
    await firstOf(Promise.all(actions), waitMs)
    const last = page.at(-1)
    if (!last || page.length < PAGE) return
    after = { ts: last.ts, sid: last.sid, seq: last.seq }
  }
}

/** In line with the user's entries, so that the two never work on one turn at once. */
async function doInLine(
  { work, tasks, acting, stopped }: Sweep,
  turn: Turn,
  user: () => Promise<UserId>,
  task: () => Promise<void>,
): Promise<void> {
  acting.add(nameOf(turn))
  try {
    const uid = await user()
    await new Promise<void>((resolve, reject) => {
      if (stopped()) return resolve()
      tasks.run(uid, () => task().then(resolve, reject))
    })
  } catch (error) {
    if (error instanceof Unopenable) {
      // The others, of this page and of those behind it, are not to wait for what nobody can read.
      work.log.error({ sid: turn.sid, seq: turn.seq }, 'a turn that does not open can not be gone on with')
    } else {
      leaveFor(work, turn, error)
    }
  } finally {
    acting.delete(nameOf(turn))
  }
}

async function userOf(work: Work, { sid, author, authorId }: Turn): Promise<UserId> {
  if (author === 'user') return authorId
  const state = await work.insist('read session', () => work.states.get(sid))
  return state?.session.uid ?? authorId
}

/** The entry that would have done it is done by now, if it was there, because its user's tasks are in line. */
async function again(work: Work, { sid, seq }: Turn): Promise<void> {
  const turn = await work.insist('read turn', () => work.conversations.turn(sid, seq))
  if (!turn?.unsettled || isPending(turn)) return
  work.metrics.swept.inc({ verdict: 'settle' })
  work.log.info({ sid, seq, event: turn.event }, 'doing again what should have followed from a turn')
  await followUp(work, turn)
}

async function firstOf(work: Promise<unknown>, ms: number): Promise<void> {
  const over = new AbortController()
  const late = pause(ms, undefined, { signal: over.signal, ref: false }).catch(() => undefined)
  try {
    await Promise.race([work, late])
  } finally {
    over.abort()
  }
}
