import { createHash } from 'node:crypto'
import { createKeyring, type Keyring, type RingKey } from '@chatbox/crypto'

/** The same 32 bytes for the same id. */
export const ringKey = (id: string): RingKey => ({ id, key: createHash('sha256').update(`test key ${id}`).digest() })

/** The first one is current. */
export const ring = (...ids: string[]): Keyring => createKeyring({ keys: ids.map(ringKey) })

/** A ring in which another than the first is current. */
export const ringUsing = (currentId: string, ...ids: string[]): Keyring =>
  createKeyring({ keys: ids.map(ringKey), currentId })
