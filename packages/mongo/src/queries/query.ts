import type { Document } from 'mongodb'
import type { CollectionName } from '../collections.ts'
import type { IndexName } from '../indexes.ts'
import { binary } from '../values.ts'

export interface Query {
  readonly collection: CollectionName
  readonly filter: Document
  readonly sort?: Readonly<Record<string, 1 | -1>>
  /** The index by which its rows are found and sorted, which the server is told to use; several where each finds a part of them. */
  readonly by: IndexName | readonly IndexName[]
}

/** A single index is demanded. Where it is missing the server refuses, which is better than a scan that nobody sees. */
export const hintOf = ({ by }: Query): { hint?: string } =>
  typeof by === 'string' && by !== '_id_' ? { hint: by } : {}

export const ABSENT: Document = { $exists: false }

export const sameBytes = (value: Uint8Array | undefined) => (value === undefined ? ABSENT : binary(value))
