import type { ServerFrameOf } from '@chatbox/protocol'

export type StreamFrame = ServerFrameOf<'answer.started' | 'answer.delta' | 'answer.snapshot' | 'answer.reset'>

/** What is known of the text of an answer's current attempt. */
export interface Merging {
  attempt: number
  /** The index that comes next: everything before it is in `text`. */
  next: number
  text: string
  /** Deltas beyond a jump, kept for the snapshot that fills it. */
  readonly ahead: Map<number, string>
}

const MAX_AHEAD = 512

export const nothingYet = (): Merging => ({ attempt: 0, next: 0, text: '', ahead: new Map() })

/**
 * Takes a frame into the text and says whether anything changed (P6). Chunks are frozen by (attempt, index), so
 * whatever is repeated, late or early can be told by its numbers alone.
 */
export function merge(into: Merging, frame: StreamFrame): boolean {
  if (frame.attempt < into.attempt) return false
  const restarted = frame.attempt > into.attempt
  if (restarted) {
    into.attempt = frame.attempt
    into.next = 0
    into.text = ''
    into.ahead.clear()
  }
  const before = into.next
  if (frame.type === 'answer.delta') {
    if (frame.index >= into.next && into.ahead.size < MAX_AHEAD) into.ahead.set(frame.index, frame.text)
  } else if (frame.type === 'answer.snapshot' && frame.next > into.next) {
    into.next = frame.next
    into.text = frame.text
  }
  takeAhead(into)
  return restarted || into.next !== before
}

function takeAhead(into: Merging): void {
  for (const index of into.ahead.keys()) if (index < into.next) into.ahead.delete(index)
  for (let text = into.ahead.get(into.next); text !== undefined; text = into.ahead.get(into.next)) {
    into.ahead.delete(into.next++)
    into.text += text
  }
}
