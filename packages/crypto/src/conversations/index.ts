import {
  type Conversations,
  Refusal,
  type SealedConversations,
  type SessionId,
  type Turn,
  Unopenable,
} from '@chatbox/core'
import type { Box } from '../box.ts'
import type { Keyring } from '../keyring.ts'
import { type OnUnopenable, watched } from '../watch.ts'
import { createDataKeys, type DataKey, type Rewrapped } from './data-keys.ts'
import { blankTurn, openSession, openTurn } from './open-rows.ts'
import { type SealedTurn, sealAnswer, sealEnd, sealedStub, sealNames, sealTurn } from './seal-rows.ts'

export type { Rewrapped }

export interface SealedConversationsOptions {
  readonly onUnopenable: OnUnopenable
  /** How many sessions' keys are kept at hand. Default 10 000. */
  readonly maxKeys?: number
  /** How long at most: the key of a session that another process erased is gone from memory after this. Default 10 minutes. */
  readonly keyTtlMs?: number
}

export interface KeyedConversations extends Conversations {
  /** Drops the session's key from memory: another process erased it (R22). */
  forget(sid: SessionId): void
  /** For a rotation of keys: wraps the session's key by the current key of the ring. Its content stays as it is. */
  rewrap(sid: SessionId): Promise<Rewrapped>
}

/**
 * Conversations in clear over a database that holds none of it: what a person or a model wrote is sealed with a key of the
 * session's own, which stands in its row, wrapped by a key of the ring (R28, X5). Ids, counters and codes stay in clear.
 *
 * A turn that does not open rejects with `Unopenable`, alone or in a page. Two exceptions keep the rest going: a session's name
 * is left out, and `pendingOf`, which only asks what has to be ended, gives such a turn without its content. Turns of an erased
 * session have no content.
 */
export function sealedConversations(
  inner: SealedConversations,
  keyring: Keyring,
  { onUnopenable, maxKeys = 10_000, keyTtlMs = 600_000 }: SealedConversationsOptions,
): KeyedConversations {
  const tryOpen = watched(onUnopenable)
  const keys = createDataKeys(inner, keyring, tryOpen, { maxKeys, keyTtlMs })

  function open(key: DataKey, turn: SealedTurn): Turn {
    if (key === 'erased') return blankTurn(turn)
    const opened = typeof key === 'string' ? undefined : openTurn(tryOpen, key, turn)
    if (!opened) throw new Unopenable('a turn does not open')
    return opened
  }
  async function keyOf(sid: SessionId, rows: readonly SealedTurn[]): Promise<DataKey> {
    // Rows without content were erased, perhaps by another process since the key was read.
    if (rows.some((row) => row.content.length === 0)) keys.forget(sid)
    return keys.of(sid)
  }
  const openOne = async (turn: SealedTurn | undefined): Promise<Turn | undefined> =>
    turn && open(await keyOf(turn.sid, [turn]), turn)

  async function openForSweep(turns: readonly SealedTurn[]): Promise<Turn[]> {
    const known = new Map<SessionId, Promise<DataKey>>()
    for (const turn of turns) if (!known.has(turn.sid)) known.set(turn.sid, keyOf(turn.sid, [turn]))
    return Promise.all(
      turns.map(async (turn) => {
        const key = (await known.get(turn.sid)) ?? 'missing'
        return (typeof key === 'string' ? undefined : openTurn(tryOpen, key, turn)) ?? blankTurn(turn)
      }),
    )
  }

  return {
    async session(sid) {
      const keyIn = keys.reading()
      const session = await inner.session(sid)
      return session && openSession(tryOpen, keyIn(session), session)
    },
    async createSession(session) {
      const { box, wrapped } = keys.create(session.sid)
      const created = await inner.createSession({ ...sealNames(box, session.sid, session), key: wrapped })
      if (created === 'created') keys.keep(session.sid, box)
      return created
    },
    async changeSession(sid, rev, change) {
      const named = change.nm !== undefined || change.assistingAdminName !== undefined
      const box = named ? boxIn(await keys.of(sid)) : undefined
      return inner.changeSession(sid, rev, sealNames(box, sid, change))
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
    turn: async (sid, seq) => openOne(await inner.turn(sid, seq)),
    turnByClientMessageId: async (authorId, cmid) => openOne(await inner.turnByClientMessageId(authorId, cmid)),
    turnByAnswerId: async (sid, answerId) => openOne(await inner.turnByAnswerId(sid, answerId)),
    async turns(sid, query) {
      const rows = await inner.turns(sid, query)
      if (rows.length === 0) return []
      const key = await keyOf(sid, rows)
      return rows.map((row) => open(key, row))
    },
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
    pendingOf: async (partition, limit, after) => openForSweep(await inner.pendingOf(partition, limit, after)),
    async eraseTurns(sid, stub) {
      await inner.eraseKey(sid)
      keys.forget(sid)
      await inner.eraseTurns(sid, sealedStub(stub))
    },
    ping: () => inner.ping(),
    close: () => inner.close(),

    forget: keys.forget,
    rewrap: keys.rewrap,
  }
}

/** Undefined where there is nothing to seal for: no such session, or one that was erased. */
function boxIn(key: DataKey): Box | undefined {
  if (key === 'unopenable') throw new Unopenable('the key of a session does not open')
  return typeof key === 'string' ? undefined : key
}
