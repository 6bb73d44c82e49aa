import type { Position } from '@chatbox/core'

const NEWLINE = 10
const DOT = 46

export interface Heard {
  /** Of what stands in the log. */
  readonly position: Position | undefined
  readonly packet: Buffer
}

/** What a script published: `log.run.offset`, or nothing, then a line break and the packet. */
export function heard(payload: Buffer): Heard {
  const end = payload.indexOf(NEWLINE)
  if (end < 0) throw new SyntaxError('not something that was published for a user')
  const packet = payload.subarray(end + 1)
  if (end === 0) return { position: undefined, packet }
  const first = payload.indexOf(DOT)
  const second = payload.indexOf(DOT, first + 1)
  const offset = Number(payload.toString('latin1', second + 1, end))
  if (first < 0 || second < 0 || second > end || !Number.isSafeInteger(offset)) throw new SyntaxError('not a position')
  return {
    position: { log: payload.toString('latin1', 0, first), run: payload.toString('latin1', first + 1, second), offset },
    packet,
  }
}
