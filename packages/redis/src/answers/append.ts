import { type ChunkOutcome, Unavailable } from '@chatbox/core'
import type { Reply } from '../connection/script.ts'
import { wordOf } from './replies.ts'

const OUTCOMES = ['accepted', 'stale', 'ended', 'gone', 'full'] as const

/**
 * What became of each chunk. Those of another server are no worse off for one that is away; where nothing at all was answered, the
 * call as a whole fails, and its caller waits before the next one.
 */
export function chunkOutcomes(replies: readonly (Reply | Error)[], onError: (error: unknown) => void): ChunkOutcome[] {
  const errors = replies.filter((reply) => reply instanceof Error)
  const mistake = errors.find((error) => !(error instanceof Unavailable))
  if (replies.length > 0 && errors.length === replies.length) throw mistake ?? errors[0]
  if (mistake) onError(mistake)
  return replies.map((reply) => (reply instanceof Error ? 'unknown' : wordOf(reply, OUTCOMES)))
}
