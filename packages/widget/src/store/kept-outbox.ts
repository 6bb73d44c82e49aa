import type { Keep } from '../platform/keep.ts'
import type { Outgoing } from './model.ts'

const KEY = 'outbox'
const MAX_ENTRIES = 50

/** Messages that were not accepted when the page was left: sending them again with their ids is safe (P2). */
export interface KeptOutbox {
  read(): Outgoing[]
  write(outbox: readonly Outgoing[]): void
}

export const keptOutbox = (keep: Keep): KeptOutbox => ({
  read: () =>
    parsed(keep.read(KEY) ?? '[]')
      .filter(isOutgoing)
      .slice(-MAX_ENTRIES),
  write: (outbox) => keep.write(KEY, outbox.length > 0 ? JSON.stringify(outbox) : undefined),
})

function parsed(json: string): unknown[] {
  try {
    const value: unknown = JSON.parse(json)
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}

const isOutgoing = (value: unknown): value is Outgoing =>
  typeof value === 'object' &&
  value !== null &&
  'clientMessageId' in value &&
  typeof value.clientMessageId === 'string' &&
  'text' in value &&
  typeof value.text === 'string' &&
  hasStringOrNothing(value, 'sid') &&
  hasStringOrNothing(value, 'newChat') &&
  hasStringOrNothing(value, 'modelId') &&
  (!('failure' in value) || (typeof value.failure === 'object' && value.failure !== null && 'message' in value.failure))

const hasStringOrNothing = (value: object, key: string): boolean => {
  const held: unknown = Object.getOwnPropertyDescriptor(value, key)?.value
  return held === undefined || typeof held === 'string'
}
