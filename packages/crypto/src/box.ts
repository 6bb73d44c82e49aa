import type { KeyObject } from 'node:crypto'
import { isSealed, keyIdOf, open, type SealingKey, seal, sealingKey } from './value.ts'

/** Seals and opens for one use: one user's events, one session's texts, the data keys. */
export interface Box {
  seal(plaintext: Uint8Array, aad: Uint8Array): Uint8Array
  /** Rejects what does not open with `Unopenable`. */
  open(value: Uint8Array, aad: Uint8Array): Uint8Array
}

/**
 * Seals with the current key, opens with any that `find` knows; keys are looked for when they are first needed. A class, because
 * there is one for every user who is connected.
 */
export class RingBox implements Box {
  readonly #currentId: string
  readonly #find: (id: string) => KeyObject | undefined
  #current: SealingKey | undefined
  #others: Map<string, KeyObject> | undefined

  constructor(currentId: string, find: (id: string) => KeyObject | undefined) {
    this.#currentId = currentId
    this.#find = find
  }

  seal(plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
    return seal(this.#sealing(), plaintext, aad)
  }

  open(value: Uint8Array, aad: Uint8Array): Uint8Array {
    return open((id) => this.#opening(id), value, aad)
  }

  /** Whether this names a key that is not here. One that does not may fail to open all the same. */
  lacksKeyOf(value: Uint8Array): boolean {
    return isSealed(value) && this.#opening(keyIdOf(value)) === undefined
  }

  #sealing(): SealingKey {
    if (this.#current) return this.#current
    const secret = this.#find(this.#currentId)
    if (!secret) throw new Error('the current key is not in the ring')
    this.#current = sealingKey(this.#currentId, secret)
    return this.#current
  }

  #opening(id: string): KeyObject | undefined {
    if (id === this.#currentId) return this.#sealing().secret
    const known = this.#others?.get(id)
    if (known) return known
    const found = this.#find(id)
    if (found) {
      this.#others ??= new Map()
      this.#others.set(id, found)
    }
    return found
  }
}
