import type { KeyObject } from 'node:crypto'
import { open, type SealingKey, seal, sealingKey } from './value.ts'

/** Seals and opens for one use: one user's events, one session's texts, the data keys. */
export interface Box {
  seal(plaintext: Uint8Array, aad: Uint8Array): Uint8Array
  /** Rejects what does not open with `Unopenable`. */
  open(value: Uint8Array, aad: Uint8Array): Uint8Array
}

/** Seals with the current key, opens with any that `find` knows; keys are looked for when they are first needed. */
export function ringBox(currentId: string, find: (id: string) => KeyObject | undefined): Box {
  let current: SealingKey | undefined
  let others: Map<string, KeyObject> | undefined

  const sealing = (): SealingKey => {
    const secret = find(currentId)
    if (!secret) throw new Error('the current key is not in the ring')
    current = sealingKey(currentId, secret)
    return current
  }
  const opening = (id: string): KeyObject | undefined => {
    if (id === currentId) return (current ?? sealing()).secret
    const known = others?.get(id)
    if (known) return known
    const found = find(id)
    if (found) {
      others ??= new Map()
      others.set(id, found)
    }
    return found
  }
  return {
    seal: (plaintext, aad) => seal(current ?? sealing(), plaintext, aad),
    open: (value, aad) => open(opening, value, aad),
  }
}
