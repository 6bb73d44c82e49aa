import { encodeFrame, type ServerFrameOf } from '@chatbox/protocol'
import { sharedNow } from '../lib/clock.ts'

/** What is published: a message of 200 bytes, in which stand the moment it was sent at and which one of its user's it is. */
export type StampedFrame = ServerFrameOf<'message'>

const FRAME_BYTES = 200
const MARK = '@'
/** Microseconds of the shared clock, then the number. */
const TIME_DIGITS = 16
const COUNT_DIGITS = 6

export function stampedFrame(user: string, count: number): StampedFrame {
  const time = Math.floor(sharedNow() * 1_000)
  const stamp = `${MARK}${`${time}`.padStart(TIME_DIGITS, '0')}${`${count}`.padStart(COUNT_DIGITS, '0')}`
  const frame = { type: 'message', sid: `s_${user}`, seq: count, ts: 0, author: 'user', kind: 'text' } as const
  const room = FRAME_BYTES - JSON.stringify({ ...frame, text: stamp }).length
  return { ...frame, text: stamp + '.'.repeat(Math.max(0, room)) }
}

export const stampedBytes = (user: string, count: number): Uint8Array => encodeFrame(stampedFrame(user, count))

const MARK_BYTE = MARK.charCodeAt(0)

/** Reads the stamp without reading the frame; undefined for any other frame. */
export function stampIn(bytes: Buffer): { sentMs: number; count: number } | undefined {
  const at = bytes.indexOf(MARK_BYTE)
  if (at < 0) return undefined
  const time = digits(bytes, at + 1, TIME_DIGITS)
  return { sentMs: time / 1_000, count: digits(bytes, at + 1 + TIME_DIGITS, COUNT_DIGITS) }
}

function digits(bytes: Buffer, from: number, length: number): number {
  let number = 0
  for (let i = from; i < from + length; i++) number = number * 10 + ((bytes[i] ?? 0x30) - 0x30)
  return number
}
