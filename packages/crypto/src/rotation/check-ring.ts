import { type SealedConversations, Unopenable } from '@chatbox/core'
import { createWrapping, type Wrapping } from '../conversations/key-set.ts'
import type { Keyring } from '../keyring.ts'

/** The ring can't open what is stored: said to whoever starts a service, before anything is served. */
export class RingFault extends Error {
  override readonly name = 'RingFault'
  readonly code = 'ring_fault'
  /** How many sessions can't be opened, by the id of the key that has wrapped their keys. */
  readonly sessions: ReadonlyMap<string, number>

  constructor(missing: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>, setting: string) {
    super([...[...missing].map(sayMissing(setting)), ...[...other].map(sayOther(setting))].join(' '))
    this.sessions = new Map([...missing, ...other])
  }
}

const count = (sessions: number) => (sessions === 1 ? '1 session is' : `${sessions} sessions are`)

type Said = (counted: readonly [string, number]) => string

const sayMissing =
  (setting: string): Said =>
  ([id, sessions]) =>
    `${count(sessions)} sealed by the key ${id}, which is not in ${setting}. Put it back; it can go when a rotation has come to its end.`

const sayOther =
  (setting: string): Said =>
  ([id, sessions]) =>
    `${count(sessions)} sealed by a key ${id} that is another than the one of that id in ${setting}. Put that one back, under this id.`

type Asked = Pick<SealedConversations, 'keysInUse' | 'keyedBy' | 'session'>

/**
 * Rejects with a `RingFault` where a key is missing that sessions are sealed by (security 33), or where the ring has another under its
 * id. Gives the number of sessions by key: whatever is not under the current one waits for a rotation.
 */
export async function checkRing(conversations: Asked, keyring: Keyring): Promise<ReadonlyMap<string, number>> {
  const inUse = await conversations.keysInUse()
  const held = new Set(keyring.ids)
  const wrapping = createWrapping(keyring)
  const missing = new Map<string, number>()
  const other = new Map<string, number>()
  for (const [id, sessions] of inUse) {
    if (!held.has(id)) missing.set(id, sessions)
    else if (!(await opensOne(conversations, wrapping, id))) other.set(id, sessions)
  }
  if (missing.size + other.size > 0) throw new RingFault(missing, other, keyring.setting)
  return inUse
}

/** One that does not open may have been damaged; it says nothing of the key. */
const SAMPLES = 5

async function opensOne(conversations: Asked, wrapping: Wrapping, keyId: string): Promise<boolean> {
  const sids = await conversations.keyedBy(keyId, SAMPLES)
  for (const sid of sids) {
    const session = await conversations.session(sid)
    // Erased, or wrapped by another key, since it was named.
    if (!session || session.keyId !== keyId) return true
    try {
      wrapping.unwrap(session)
      return true
    } catch (error) {
      if (!(error instanceof Unopenable)) throw error
    }
  }
  return sids.length === 0
}
