/** A place in a user's log (R24): which log, served by which run of the store, and how far. */
export interface Position {
  /** Random id of the log: a log that was lost and made again is another one. */
  readonly log: string
  /** The run of the store that serves it: a store that came back older is another one. */
  readonly run: string
  readonly offset: number
}

const PART = /^[A-Za-z0-9_-]{1,64}$/

/** Opaque to clients. */
export const encodePosition = ({ log, run, offset }: Position): string => `${log}.${run}.${offset.toString(36)}`

/** Undefined for anything that was not made by `encodePosition`: clients may send what they like. */
export function decodePosition(at: string): Position | undefined {
  const parts = at.split('.')
  if (parts.length !== 3) return undefined
  const [log = '', run = '', digits = ''] = parts
  if (!PART.test(log) || !PART.test(run) || !/^(?:0|[1-9a-z][0-9a-z]{0,10})$/.test(digits)) return undefined
  const offset = Number.parseInt(digits, 36)
  return Number.isSafeInteger(offset) ? { log, run, offset } : undefined
}

export const sameLog = (a: Position, b: Position): boolean => a.log === b.log && a.run === b.run
