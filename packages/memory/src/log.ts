import { randomBytes } from 'node:crypto'
import type { EventHeader, Position } from '@chatbox/core'
import type { Stored } from './codec.ts'

export const randomId = (): string => randomBytes(9).toString('base64url')

/** One user's log. Its events have the offsets up to `top`, without gaps. */
export interface Log {
  readonly id: string
  readonly events: Stored<EventHeader>[]
  top: number
  /** The highest that a partition's owner has shown (R6). */
  gen: number
  touchedAt: number
}

export const newLog = (now: number): Log => ({ id: randomId(), events: [], top: 0, gen: 0, touchedAt: now })

export function addEvent(log: Log, event: Stored<EventHeader>, bound: number): number {
  log.events.push(event)
  if (log.events.length > bound) log.events.shift()
  log.top += 1
  return log.top
}

/** What follows the position; undefined if not all of it is there, or the position is not of this log (P4). */
export function eventsAfter(
  log: Log,
  run: string,
  after: Position,
): { event: Stored<EventHeader>; offset: number }[] | undefined {
  const tail = log.top - log.events.length
  if (after.log !== log.id || after.run !== run || !(after.offset >= tail && after.offset <= log.top)) return undefined
  return log.events.slice(after.offset - tail).map((event, i) => ({ event, offset: after.offset + i + 1 }))
}
