import { LRUCache } from 'lru-cache'

/** Makes what is asked for when it is first asked for, and keeps the `max` that were asked for last (S5). */
export function remembered<K extends string | number, V extends object>(
  max: number,
  make: (key: K) => V,
): (key: K) => V {
  const kept = new LRUCache<K, V>({ max })
  return (key) => {
    const known = kept.get(key)
    if (known) return known
    const made = make(key)
    kept.set(key, made)
    return made
  }
}
