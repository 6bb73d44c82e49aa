import { Unavailable } from '@chatbox/core'

export type StoreErrorCode =
  /** The folder or the file can't be written. */
  | 'unwritable'
  /** Another process has the file. */
  | 'locked'
  /** Not a database, or a damaged one. */
  | 'corrupt'
  /** A database, but not of this product. */
  | 'foreign'
  /** Written by a later version of this product. */
  | 'newer'
  /** Removed or replaced while it was open. */
  | 'gone'
  | 'closed'
  /** A value that the file could not give back as it was. */
  | 'unstorable'

/** What no repetition helps against; the message is a sentence for whoever runs the process. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** SQLite's primary result codes; the extended ones keep them in their lowest byte. */
const BUSY = 5
const NOMEM = 7
const READONLY = 8
const IOERR = 10
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const NOTADB = 26

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('rawCode' in error) || typeof error.rawCode !== 'number') return undefined
  return error.rawCode & 0xff
}

/** What the driver throws, as what the callers of a store know: worth another try, or beyond help. */
export function storeErrorOf(error: unknown, file: string): unknown {
  switch (resultCode(error)) {
    case BUSY:
      return new StoreError('locked', `The database ${file} is in use by another process: stop that one first.`, error)
    case CORRUPT:
    case NOTADB:
      return new StoreError('corrupt', `The file ${file} is damaged or no database: restore it from a backup.`, error)
    case READONLY:
    case CANTOPEN:
      return new StoreError('unwritable', `The database ${file} can't be written: check its owner and mode.`, error)
    case FULL:
    case IOERR:
    case NOMEM:
      return new Unavailable(`The database ${file} could not be written: is the disk full?`, { cause: error })
    default:
      return error
  }
}
