/** Says when too much of something happened within a window. */
export function flood(max: number, windowMs: number, now: () => number = Date.now): () => boolean {
  let count = 0
  let since = now()
  return () => {
    const at = now()
    if (at - since > windowMs) {
      count = 0
      since = at
    }
    return ++count >= max
  }
}
