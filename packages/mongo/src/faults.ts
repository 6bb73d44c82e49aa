import { BSON, MongoError, MongoInvalidArgumentError, MongoServerError } from 'mongodb'
import { StoreError } from './errors.ts'

export const DUPLICATE_KEY = 11_000

/** What the server says of a document that is too large. */
const TOO_LARGE = new Set([10_334, 17_419, 17_420])

/** States of a server, a replica set or a moment, which pass; by their numbers, because sentences differ from server to server. */
const PASSING = new Set([
  1, // InternalError: also what a server says that has lost its own store
  6, // HostUnreachable
  7, // HostNotFound
  8, // UnknownError
  24, // LockTimeout
  43, // CursorNotFound
  46, // LockBusy
  50, // MaxTimeMSExpired
  64, // WriteConcernFailed
  89, // NetworkTimeout
  91, // ShutdownInProgress
  112, // WriteConflict
  133, // FailedToSatisfyReadPreference
  134, // ReadConcernMajorityNotAvailableYet
  189, // PrimarySteppedDown
  202, // NetworkInterfaceExceededTimeLimit
  234, // RetryChangeStream
  262, // ExceededTimeLimit
  317, // ConnectionPoolExpired
  462, // IngressRequestRateLimitExceeded
  9_001, // SocketException
  10_107, // NotWritablePrimary
  11_600, // InterruptedAtShutdown
  11_601, // Interrupted
  11_602, // InterruptedDueToReplStateChange
  13_435, // NotPrimaryNoSecondaryOk
  13_436, // NotPrimaryOrSecondary
  14_031, // OutOfDiskSpace
])

/** What was asked can't be told done yet, and may be told so in a moment. */
export class NotYet extends Error {
  override readonly name = 'NotYet'
}

export type Verdict =
  /** Worth another try within the time that the call has. */
  | 'passing'
  /** Not now; whoever asked may ask again later. */
  | 'refused'
  /** A fault of what was asked, which no repetition mends. */
  | 'fault'

export function judge(error: unknown): Verdict {
  if (error instanceof NotYet) return 'passing'
  if (!(error instanceof MongoError) || error instanceof MongoInvalidArgumentError) return 'fault'
  const code = codeOf(error)
  // A driver that got no word from a server gives no number.
  if (code === undefined || isPassing(code)) return 'passing'
  return TOO_LARGE.has(code) ? 'fault' : 'refused'
}

export const isPassing = (code: number): boolean => PASSING.has(code)

export const codeOf = (error: unknown): number | undefined =>
  error instanceof MongoServerError && typeof error.code === 'number' ? error.code : undefined

/** A fault as callers know it. */
export function faultOf(error: unknown): unknown {
  const code = codeOf(error)
  if (code !== undefined && TOO_LARGE.has(code)) return tooLarge(error)
  if (error instanceof MongoInvalidArgumentError || error instanceof BSON.BSONError) return tooLarge(error)
  return error
}

const tooLarge = (error: unknown): StoreError =>
  new StoreError('unstorable', 'MongoDB can’t store this: it is too large, or no document.', bare(error))

/**
 * The error for a log. What the driver throws carries documents, and the server's sentences quote keys; a user id may be an
 * e-mail address (X4).
 */
export function bare(error: unknown): Error {
  if (!(error instanceof MongoError)) return error instanceof Error ? error : new Error(String(error))
  const code = codeOf(error)
  if (code === undefined) return new Error(`${error.name}: ${error.message}`)
  const name = error instanceof MongoServerError ? error.codeName : undefined
  return new Error(`${error.name} ${code}${typeof name === 'string' ? ` ${name}` : ''}`)
}
