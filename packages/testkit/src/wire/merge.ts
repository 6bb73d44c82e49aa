import { createHash } from 'node:crypto'
import type { ServerFrame } from '@chatbox/protocol'

/** The text of each answer as a device that follows docs/PROTOCOL.md shows it. Written apart from the client, so that the two can disagree. */
export function shownTexts(
  frames: readonly ServerFrame[],
): Map<string, { attempt: number; text: string; next: number }> {
  const shown = new Map<string, { attempt: number; text: string; next: number }>()
  for (const frame of frames) {
    if (frame.type === 'answer.reset' || frame.type === 'answer.started') {
      const known = shown.get(frame.answerId)
      if (!known || frame.attempt > known.attempt)
        shown.set(frame.answerId, { attempt: frame.attempt, text: '', next: 0 })
    } else if (frame.type === 'answer.delta') {
      const known = shown.get(frame.answerId) ?? { attempt: frame.attempt, text: '', next: 0 }
      const current = frame.attempt > known.attempt ? { attempt: frame.attempt, text: '', next: 0 } : known
      if (frame.attempt < current.attempt || frame.index !== current.next) {
        shown.set(frame.answerId, current)
        continue
      }
      shown.set(frame.answerId, { ...current, text: current.text + frame.text, next: current.next + 1 })
    } else if (frame.type === 'answer.snapshot') {
      const known = shown.get(frame.answerId)
      if (known && (frame.attempt < known.attempt || (frame.attempt === known.attempt && frame.next < known.next)))
        continue
      shown.set(frame.answerId, { attempt: frame.attempt, text: frame.text, next: frame.next })
    }
  }
  return shown
}

/** What `answer.done` says of a text. */
export const textMark = (text: string): { length: number; hash: string } => ({
  length: Buffer.byteLength(text),
  hash: createHash('sha256').update(text).digest('hex').slice(0, 32),
})
