const DAY_MS = 86_400_000

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' })
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' })
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })

/** Today the hour, this week the day, then the date. */
export function shortTime(at: number, now: number = Date.now()): string {
  const midnight = new Date(now).setHours(0, 0, 0, 0)
  if (at >= midnight) return clock.format(at)
  return (at > midnight - 6 * DAY_MS ? weekday : date).format(at)
}
