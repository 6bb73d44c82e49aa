/** Sockets that have not said who they are yet, counted per address, so that one address can't fill the edge with them. */
export interface Strangers {
  full(address: string): boolean
  /** Another one; the result takes it off again, once, however often it is called. */
  arrived(address: string): () => void
  readonly size: number
}

export function strangers(maxPerAddress: number): Strangers {
  const counts = new Map<string, number>()

  function left(address: string): void {
    const count = (counts.get(address) ?? 0) - 1
    if (count > 0) counts.set(address, count)
    else counts.delete(address)
  }

  return {
    full: (address) => (counts.get(address) ?? 0) >= maxPerAddress,
    arrived(address) {
      counts.set(address, (counts.get(address) ?? 0) + 1)
      let here = true
      return () => {
        if (here) left(address)
        here = false
      }
    },
    get size() {
      return counts.size
    },
  }
}
