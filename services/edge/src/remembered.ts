/** The latest entries of a map, so many of them. */
export interface Remembered<K, V> {
  get(key: K): V | undefined
  set(key: K, value: V): void
}

export function remembered<K, V>(max: number): Remembered<K, V> {
  const entries = new Map<K, V>()
  return {
    get: (key) => entries.get(key),
    set(key, value) {
      // Taken out first, so that the map's order is that of the latest changes.
      entries.delete(key)
      entries.set(key, value)
      if (entries.size <= max) return
      for (const oldest of entries.keys()) {
        entries.delete(oldest)
        return
      }
    },
  }
}
