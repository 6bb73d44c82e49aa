export type StoreErrorCode =
  /** What was configured can't be used. */
  | 'misconfigured'
  /** Indexes are missing or differ: deployment has not run the migration, or somebody changed them. */
  | 'unmigrated'
  /** Laid out by a later version of this product. */
  | 'newer'
  /** A document that this product did not write. */
  | 'corrupt'
  /** A value that the database could not give back as it was, or is too large for it. */
  | 'unstorable'
  | 'closed'

/** What no repetition helps against; the message is a sentence for whoever runs the process. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
