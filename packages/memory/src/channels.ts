import type { Later } from './later.ts'

/** Listeners by key; a key without listeners takes no room. */
export interface Channels<K, L> {
  add(key: K, listener: L): () => void
  has(key: K): boolean
  /** Calls each of the key's listeners later, unless it has left by then. */
  post(key: K, call: (listener: L) => void): void
  postAll(call: (listener: L) => void): void
  clear(): void
  readonly size: number
}

export function channels<K, L>(later: Later): Channels<K, L> {
  const groups = new Map<K, Set<{ readonly listener: L }>>()
  let size = 0

  const postTo = (group: Set<{ readonly listener: L }>, call: (listener: L) => void) => {
    for (const member of group) later(() => group.has(member) && call(member.listener))
  }

  return {
    add(key, listener) {
      const group = groups.get(key) ?? new Set()
      const member = { listener }
      groups.set(key, group.add(member))
      size += 1
      return () => {
        if (!group.delete(member)) return
        size -= 1
        if (group.size === 0 && groups.get(key) === group) groups.delete(key)
      }
    },
    has: (key) => groups.has(key),
    post(key, call) {
      const group = groups.get(key)
      if (group) postTo(group, call)
    },
    postAll(call) {
      for (const group of groups.values()) postTo(group, call)
    },
    clear() {
      for (const group of groups.values()) group.clear()
      groups.clear()
      size = 0
    },
    get size() {
      return size
    },
  }
}
