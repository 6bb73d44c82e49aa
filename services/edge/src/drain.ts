import { setTimeout as pause } from 'node:timers/promises'
import type { Connection } from './connection.ts'
import type { EdgeTimes } from './deps.ts'

const LOOK_MS = 20

/**
 * Tells every connection at once when it may come back, each its own moment, and closes each at that moment rather than all together
 * (P9): whoever comes back finds the others spread over time, and most notice no pause. Until its moment a connection is served as
 * ever. What it asked for is answered first, and what it was sent is taken, but neither for longer than `finishMs`.
 */
export async function sendAway(
  connections: readonly Connection[],
  { drainMs, spreadMs, finishMs }: Pick<EdgeTimes, 'drainMs' | 'spreadMs' | 'finishMs'>,
  deadline: AbortSignal,
): Promise<void> {
  const from = Date.now()
  let left = connections.map((connection) => {
    const share = Math.random()
    const afterMs = Math.round(share * Math.max(drainMs, spreadMs))
    connection.send({ type: 'reconnect', afterMs, reason: 'restart' })
    return { connection, closeAt: from + share * drainMs }
  })
  for (;;) {
    const now = Date.now()
    left = left.filter(({ connection, closeAt }) => {
      if (connection.ended) return false
      const due = now >= closeAt && (connection.idle || now >= closeAt + finishMs)
      if (!due && !deadline.aborted) return true
      connection.close('restart')
      return false
    })
    if (left.length === 0) return
    await pause(Math.min(LOOK_MS, Math.max(1, finishMs)))
  }
}
