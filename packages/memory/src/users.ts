import type { AnswerId, AnswerRef, BusListener, EventPacket, Position, SessionId, UserId } from '@chatbox/core'
import { type AnswerState, newAnswer } from './answer-state.ts'
import { type Channels, channels } from './channels.ts'
import { loaded, type Stored, stored } from './codec.ts'
import type { Later } from './later.ts'
import { addEvent, type Log, newLog, randomId } from './log.ts'
import type { MemoryBounds, MemoryClocks, MemoryStructure } from './options.ts'

/** What a store keeps of one user for the bus and the answers: in Redis the keys of one hash tag, which one script can touch. */
interface UserState {
  log: Log | undefined
  /** Most of those who are connected have no open answer and no fence. */
  answers: Map<AnswerId, AnswerState> | undefined
  epochs: Map<SessionId, Epoch> | undefined
}

interface Epoch {
  readonly epoch: number
  touchedAt: number
}

export interface Users {
  readonly listeners: Channels<UserId, BusListener>
  /** Made on first use; used by this call. */
  log(uid: UserId): Log
  at(log: Log, offset: number): Position
  /** Another log in the place of the user's, of the same generation. */
  forgetLog(uid: UserId): void
  /** Adds to the log and publishes. */
  append(uid: UserId, event: EventPacket): Position
  publish(uid: UserId, event: Stored<EventPacket['header']>, position?: Position): void
  answers(uid: UserId): AnswerState[]
  answer(ref: Pick<AnswerRef, 'uid' | 'answerId'>): AnswerState | undefined
  /** The answer's state, made if there is none. */
  answerFor(ref: AnswerRef): AnswerState
  dropAnswer(ref: Pick<AnswerRef, 'uid' | 'answerId'>): void
  epochs(uid: UserId): ReadonlyMap<SessionId, number>
  epoch(uid: UserId, sid: SessionId): number
  raise(uid: UserId, sid: SessionId, epoch: number): void
  empty(): void
  sweep(): void
  readonly size: number
  readonly answerCount: number
}

/** How many users one sweep looks at, so that it never holds up the event loop. */
const SWEPT_AT_ONCE = 5_000

export interface UsersOptions {
  readonly clocks: MemoryClocks
  readonly bounds: MemoryBounds
  readonly now: () => number
  readonly later: Later
  readonly released: (structure: MemoryStructure, count: number) => void
}

export function createUsers({ clocks, bounds, now, later, released }: UsersOptions): Users {
  const listeners = channels<UserId, BusListener>(later)
  let users = new Map<UserId, UserState>()
  let run = randomId()
  let answerCount = 0
  let sweeping: IterableIterator<[UserId, UserState]> | undefined

  const stateOf = (uid: UserId): UserState => {
    const known = users.get(uid)
    if (known) return known
    const state: UserState = { log: undefined, answers: undefined, epochs: undefined }
    users.set(uid, state)
    return state
  }

  const idle = (touchedAt: number) => now() - touchedAt >= clocks.idleMs
  const logOver = (uid: UserId, log: Log) => idle(log.touchedAt) && !listeners.has(uid)
  const answerOver = ({ phase, workedAt, changedAt }: AnswerState) =>
    phase === 'open' ? idle(workedAt) : now() - changedAt >= clocks.endedMs

  const drop = (state: UserState, answerId: AnswerId) => {
    if (state.answers?.delete(answerId)) answerCount -= 1
    if (state.answers?.size === 0) state.answers = undefined
  }

  /** Takes away what has run out; true if nothing is left. */
  function release(uid: UserId, state: UserState): boolean {
    for (const [answerId, answer] of state.answers ?? []) {
      if (!answerOver(answer)) continue
      drop(state, answerId)
      released('answers', 1)
    }
    for (const [sid, { touchedAt }] of state.epochs ?? []) if (idle(touchedAt)) state.epochs?.delete(sid)
    if (state.epochs?.size === 0) state.epochs = undefined
    if (state.log && logOver(uid, state.log)) state.log = undefined
    return !state.log && !state.answers && !state.epochs
  }

  const at = (log: Log, offset: number): Position => ({ log: log.id, run, offset })

  const logOf = (uid: UserId): Log => {
    const state = stateOf(uid)
    if (!state.log || logOver(uid, state.log)) state.log = newLog(now())
    state.log.touchedAt = now()
    return state.log
  }

  const liveAnswer = (state: UserState | undefined, answerId: AnswerId) => {
    const answer = state?.answers?.get(answerId)
    return answer && !answerOver(answer) ? answer : undefined
  }

  const liveEpoch = (entry: Epoch | undefined) => (entry && !idle(entry.touchedAt) ? entry.epoch : 0)

  const publish: Users['publish'] = (uid, event, position) =>
    listeners.post(uid, (listener) => listener.event(loaded(event), position && { ...position }))

  return {
    listeners,
    log: logOf,
    at,
    forgetLog(uid) {
      const { gen } = logOf(uid)
      stateOf(uid).log = { ...newLog(now()), gen }
      listeners.post(uid, (listener) => listener.gap())
    },
    append(uid, event) {
      const log = logOf(uid)
      const kept = stored(event)
      const position = at(log, addEvent(log, kept, bounds.logEvents))
      publish(uid, kept, position)
      return position
    },
    publish,
    answers: (uid) => [...(users.get(uid)?.answers?.values() ?? [])].filter((answer) => !answerOver(answer)),
    answer: ({ uid, answerId }) => liveAnswer(users.get(uid), answerId),
    answerFor(ref) {
      const state = stateOf(ref.uid)
      const known = liveAnswer(state, ref.answerId)
      if (known) return known
      drop(state, ref.answerId)
      const answer = newAnswer(ref, now())
      state.answers ??= new Map()
      state.answers.set(ref.answerId, answer)
      answerCount += 1
      return answer
    },
    dropAnswer({ uid, answerId }) {
      const state = users.get(uid)
      if (state) drop(state, answerId)
    },
    epochs(uid) {
      const entries = [...(users.get(uid)?.epochs ?? [])].map(([sid, entry]) => [sid, liveEpoch(entry)] as const)
      return new Map(entries.filter(([, epoch]) => epoch > 0))
    },
    epoch(uid, sid) {
      const entry = users.get(uid)?.epochs?.get(sid)
      const epoch = liveEpoch(entry)
      if (entry && epoch > 0) entry.touchedAt = now()
      return epoch
    },
    raise(uid, sid, epoch) {
      const state = stateOf(uid)
      state.epochs ??= new Map()
      state.epochs.set(sid, { epoch, touchedAt: now() })
    },
    empty() {
      users = new Map()
      run = randomId()
      answerCount = 0
      sweeping = undefined
      listeners.postAll((listener) => listener.gap())
    },
    sweep() {
      sweeping ??= users.entries()
      for (let looked = 0; looked < SWEPT_AT_ONCE; looked += 1) {
        const { value: entry, done } = sweeping.next()
        if (done) {
          sweeping = undefined
          return
        }
        const [uid, state] = entry
        if (!release(uid, state)) continue
        users.delete(uid)
        released('users', 1)
      }
    },
    get size() {
      return users.size
    },
    get answerCount() {
      return answerCount
    },
  }
}
