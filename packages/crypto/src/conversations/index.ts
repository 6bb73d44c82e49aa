import {
  type Conversations,
  Refusal,
  type SealedConversations,
  type SealedSession,
  type Session,
  type SessionId,
  type Turn,
  Unopenable,
} from '@chatbox/core'
import type { RingBox } from '../box.ts'
import type { Keyring } from '../keyring.ts'
import { type OnUnopenable, watched } from '../watch.ts'
import { createDataKeys, type DataKey } from './data-keys.ts'
import { NAME_FIELDS, valuesOf } from './map-rows.ts'
import { blankTurn, openSession, openTurn } from './open-rows.ts'
import {
  type SealedTurn,
  sealAnswer,
  sealChange,
  sealEnd,
  sealedStub,
  sealFeedback,
  sealSession,
  sealTurn,
} from './seal-rows.ts'

/** For how long a process uses a session's keys that it has read. */
export const KEY_TTL_MS = 600_000

export interface SealedConversationsOptions {
  readonly onUnopenable: OnUnopenable
  /** How many sessions' keys are kept at hand. Default 10 000. */
  readonly maxKeys?: number
  /**
   * How long at most: the key of a session that another process erased is gone from memory after this, and a data key that a rotation has
   * superseded seals nothing any more. A rotation has to be told the longest of all processes. Default 10 minutes.
   */
  readonly keyTtlMs?: number
}

export interface KeyedConversations extends Conversations {
  /** Drops the session's key from memory: another process erased it (R22). */
  forget(sid: SessionId): void
  /** Keys of sessions that are kept at hand (S5). */
  readonly keysAtHand: number
}

/**
 * Conversations in clear over a database that holds none of it: what a person or a model wrote is sealed with a key of the
 * session's own, which stands in its row, wrapped by a key of the ring (R28, X5). Ids, counters and codes stay in clear.
 *
 * A turn that does not open rejects with `Unopenable`, alone or in a page. Two exceptions keep the rest going: a session's name or
 * preview is left out, and `unsettledOf`, which only asks what has to be done, gives such a turn without its content. Turns of an
 * erased session have no content.
 */
export function sealedConversations(
  inner: SealedConversations,
  keyring: Keyring,
  { onUnopenable, maxKeys = 10_000, keyTtlMs = KEY_TTL_MS }: SealedConversationsOptions,
): KeyedConversations {
  const tryOpen = watched(onUnopenable)
  const keys = createDataKeys(inner, keyring, onUnopenable, { maxKeys, keyTtlMs })

  function open(key: DataKey, turn: SealedTurn): Turn {
    if (key === 'erased') return blankTurn(turn)
    const opened = typeof key === 'string' ? undefined : openTurn(tryOpen, key, turn)
    if (!opened) throw new Unopenable('a turn does not open')
    return opened
  }
  async function keyOf(sid: SessionId, rows: readonly SealedTurn[]): Promise<DataKey> {
    // Rows without content were erased, perhaps by another process since the key was read.
    if (rows.some((row) => row.content.length === 0)) keys.forget(sid)
    const key = await keys.of(sid)
    return opensAll(key, rows) ? key : keys.again(sid)
  }
  /** The turns of one session. */
  async function openAll(read: () => Promise<readonly SealedTurn[]>): Promise<Turn[]> {
    for (let time = 1; ; time += 1) {
      const rows = await read()
      if (!rows[0]) return []
      const key = await keyOf(rows[0].sid, rows)
      // Between the reading of rows and that of keys they may have been sealed anew, and what sealed them before be gone.
      if (time > 1 || opensAll(key, rows)) return rows.map((row) => open(key, row))
    }
  }
  async function openOne(read: () => Promise<SealedTurn | undefined>): Promise<Turn | undefined> {
    const [turn] = await openAll(async () => {
      const row = await read()
      return row ? [row] : []
    })
    return turn
  }
  async function openForSweep(turns: readonly SealedTurn[]): Promise<Turn[]> {
    const sids = [...new Set(turns.map(({ sid }) => sid))]
    const rowsOf = (sid: SessionId) => turns.filter((turn) => turn.sid === sid)
    const known = new Map(await Promise.all(sids.map(async (sid) => [sid, await keyOf(sid, rowsOf(sid))] as const)))
    return turns.map((turn) => {
      const key = known.get(turn.sid) ?? 'missing'
      return (typeof key === 'string' ? undefined : openTurn(tryOpen, key, turn)) ?? blankTurn(turn)
    })
  }
  async function readSession(read: () => Promise<SealedSession | undefined>): Promise<Session | undefined> {
    const keyIn = keys.reading()
    const session = await read()
    return session && openSession(tryOpen, keyIn(session), session)
  }

  return {
    session: (sid) => readSession(() => inner.session(sid)),
    sessionByShare: (hash) => readSession(() => inner.sessionByShare(hash)),
    async createSession(session) {
      const { box, key, keyId, keep } = keys.create(session.sid)
      const created = await inner.createSession({ ...sealSession(box, session), key, keyId })
      if (created === 'created') keep()
      return created
    },
    async changeSession(sid, rev, change) {
      const named = NAME_FIELDS.some((field) => typeof change[field] === 'string')
      const box = named ? boxIn(await keys.of(sid)) : undefined
      return inner.changeSession(sid, rev, sealChange(box, sid, change))
    },
    async listSessions(uid, query) {
      const keyIn = keys.reading()
      const sessions = await inner.listSessions(uid, query)
      return sessions.map((session) => openSession(tryOpen, keyIn(session), session))
    },

    async insertTurn(turn) {
      const box = boxIn(await keys.of(turn.sid))
      if (!box) throw new Refusal('not_found')
      return inner.insertTurn(sealTurn(box, turn))
    },
    turn: (sid, seq) => openOne(() => inner.turn(sid, seq)),
    turnByClientMessageId: (authorId, cmid) => openOne(() => inner.turnByClientMessageId(authorId, cmid)),
    turnByAnswerId: (sid, answerId) => openOne(() => inner.turnByAnswerId(sid, answerId)),
    turns: (sid, query) => openAll(() => inner.turns(sid, query)),
    totals: (sid) => inner.totals(sid),

    async beginAttempt(sid, answerId, from, cause) {
      const keyIn = keys.reading()
      const begun = await inner.beginAttempt(sid, answerId, from, cause)
      if (!begun) return undefined
      const key = keyIn(begun.session)
      return { turn: open(key, begun.turn), session: openSession(tryOpen, key, begun.session) }
    },
    async endAnswer(sid, answerId, end, attempt) {
      const box = boxIn(await keys.of(sid))
      // An erasure has ended it, or is about to.
      if (!box) return false
      return inner.endAnswer(sid, answerId, sealEnd(box, sid, answerId, end), attempt)
    },
    changePending: (sid, answerId, expected, change) => inner.changePending(sid, answerId, expected, change),
    async supersede(sid, seq, old, answer) {
      const box = boxIn(await keys.of(sid))
      if (!box) return false
      return inner.supersede(sid, seq, old, sealAnswer(box, sid, answer))
    },
    async rateAnswer(sid, answerId, feedback) {
      const box = boxIn(await keys.of(sid))
      if (!box) return false
      return inner.rateAnswer(sid, answerId, feedback && sealFeedback(box, sid, answerId, feedback))
    },
    unsettledOf: async (partition, limit, after) => openForSweep(await inner.unsettledOf(partition, limit, after)),
    settle: (sid, seq, answerId) => inner.settle(sid, seq, answerId),
    tokensSince: (uid, since) => inner.tokensSince(uid, since),

    erasable: (query) => inner.erasable(query),
    forgetUser: (uid, alias) => inner.forgetUser(uid, alias),
    async eraseTurns(sid, stub) {
      await inner.eraseKey(sid)
      keys.forget(sid)
      await inner.eraseTurns(sid, sealedStub(stub))
    },
    ping: () => inner.ping(),
    close: () => inner.close(),

    forget: keys.forget,
    get keysAtHand() {
      return keys.size
    },
  }
}

/** Undefined where there is nothing to seal for: no such session, or one that was erased. */
function boxIn(key: DataKey): RingBox | undefined {
  if (key === 'unopenable') throw new Unopenable('the key of a session does not open')
  return typeof key === 'string' ? undefined : key
}

/** False if a value of these rows carries a key that is not among those at hand. */
const opensAll = (key: DataKey, rows: readonly SealedTurn[]): boolean =>
  typeof key === 'string' || rows.every((row) => valuesOf(row).every((value) => !key.lacksKeyOf(value)))
