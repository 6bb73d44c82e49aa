import type { Failure } from './model.ts'

/** What may be shown of anything that was thrown: the sentence of a `ChatError` is made to be shown, no other is. */
export function failureOf(error: unknown): Failure {
  if (isFailure(error)) return { code: error.code, message: error.message, retryable: error.retryable }
  return { code: 'internal', message: 'Something went wrong.', retryable: true }
}

const isFailure = (error: unknown): error is Failure =>
  typeof error === 'object' &&
  error !== null &&
  'code' in error &&
  typeof error.code === 'string' &&
  'message' in error &&
  typeof error.message === 'string' &&
  'retryable' in error &&
  typeof error.retryable === 'boolean'
