import { LRUCache } from 'lru-cache'

export interface Remembered<K, V> {
  of(key: K): V
  /** How many are kept now. */
  readonly size: number
}

/** Makes what is asked for when it is first asked for, and keeps the `max` that were asked for last (S5). */
export function remembered<K extends string | number, V extends object>(
  max: number,
  make: (key: K) => V,
): Remembered<K, V> {
  const kept = new LRUCache<K, V>({ max })
  return {
    of(key) {
      const known = kept.get(key)
      if (known) return known
      const made = make(key)
      kept.set(key, made)
      return made
    },
    get size() {
      return kept.size
    },
  }
}
