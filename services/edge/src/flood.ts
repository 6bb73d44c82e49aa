/** Says when something happened too often: `max` times within any `windowMs`. */
export function flood(max: number, windowMs: number, now: () => number = Date.now): () => boolean {
  const times: number[] = []
  return () => {
    const at = now()
    times.push(at)
    if (times.length > max) times.shift()
    const [first = at] = times
    return times.length === max && at - first <= windowMs
  }
}
