import type { SealedConversations, SessionId } from '@chatbox/core'
import { type Keyring, keyIdOf, type RotateOptions, type RotationReport, rotate } from '@chatbox/crypto'
import { createWrapping } from '../../src/conversations/key-set.ts'
import { NAME_FIELDS, valuesOf } from '../../src/conversations/map-rows.ts'
import { type OpenConversations, openConversations } from '../conversations/open-conversations.ts'
import { end, other, session, sid, turn } from '../conversations/samples.ts'
import { ring } from '../rings.ts'

export const KEY_TTL_MS = 1_000

export interface Rotating extends OpenConversations {
  /** By the ring k2, k1 unless another is given. */
  rotate(options?: Partial<RotateOptions>): Promise<RotationReport>
  /** What no process can have changed by its own clock. */
  pass(ms: number): void
}

export async function openRotating(): Promise<Rotating> {
  const opened = await openConversations()
  let now = 1_000_000
  return {
    ...opened,
    rotate: (options) =>
      rotate({
        conversations: opened.inner,
        keyring: ring('k2', 'k1'),
        keyTtlMs: KEY_TTL_MS,
        now: () => now,
        ...options,
      }),
    pass(ms) {
      now += ms
    },
  }
}

/** Two sessions of two turns, one of which is answered and rated, with all that may be sealed. */
export async function withTurns(): Promise<Rotating> {
  const rotating = await openRotating()
  const { sealed } = rotating
  for (const id of [sid, other]) {
    await sealed.createSession({ ...session(id), preview: 'a preview' })
    for (const seq of [1, 3]) await sealed.insertTurn(turn(seq, { sid: id }))
    const asked = turn(1, { sid: id }).answer?.answerId
    if (!asked) throw new Error('the turn has no answer')
    await sealed.endAnswer(id, asked, end())
    await sealed.rateAnswer(id, asked, { rating: 'down', comment: 'no', ts: 1 })
  }
  return rotating
}

/** Name and preview, two contents, a text, a thread and a comment. */
export const VALUES_EACH = 7

/** Of one session, as a database holds it. */
export async function sealedBy(conversations: SealedConversations, id: SessionId, keyring: Keyring) {
  const row = await conversations.session(id)
  if (!row) throw new Error('there is no such session')
  const rows = await conversations.turns(id, { limit: 1_000, after: 0 })
  const names = NAME_FIELDS.map((field) => row[field]).filter((value) => value !== undefined)
  const values = [...names, ...rows.flatMap(valuesOf)]
  return {
    /** Which key of the ring has wrapped its keys, by the bytes and by what is said. */
    ring: [keyIdOf(row.key), row.keyId],
    keys: createWrapping(keyring)
      .unwrap(row)
      .map(({ number, madeUnder }) => `d${number} ${madeUnder}`),
    values: values.map(keyIdOf).sort(),
  }
}

export const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)
