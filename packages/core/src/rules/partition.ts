import { createHash } from 'node:crypto'
import type { UserId } from '../ids.ts'

/** How many partitions a new installation is laid out by; stored, because changing it would move users (R6). */
export const DEFAULT_PARTITIONS = 64

/** The partition whose owner writes everything of this user. */
export function partitionOf(uid: UserId, count: number): number {
  return createHash('sha256').update(uid).digest().readUInt32BE(0) % count
}
