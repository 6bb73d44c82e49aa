/** Values that go when their time is over, or when there are too many; all live equally long, so the oldest end first. */
export interface Expiring<K, V> {
  get(key: K): V | undefined
  set(key: K, value: V): void
  /** Lets go of what is over; says how many. */
  sweep(): number
  clear(): void
  readonly size: number
}

export function expiring<K, V>(ttlMs: number, bound: number, now: () => number): Expiring<K, V> {
  const entries = new Map<K, { readonly value: V; readonly until: number }>()

  function sweep(): number {
    let gone = 0
    for (const [key, { until }] of entries) {
      if (until > now() && entries.size <= bound) break
      entries.delete(key)
      gone += 1
    }
    return gone
  }

  return {
    get(key) {
      const entry = entries.get(key)
      return entry && entry.until > now() ? entry.value : undefined
    },
    set(key, value) {
      // Taken out first, so that the map's order stays that of the ends.
      entries.delete(key)
      entries.set(key, { value, until: now() + ttlMs })
      if (entries.size > bound) sweep()
    },
    sweep,
    clear: () => entries.clear(),
    get size() {
      return entries.size
    },
  }
}
