import { createHash, randomBytes } from 'node:crypto'
import {
  type AnswerId,
  answerId,
  type ClientMessageId,
  type RequestId,
  type SessionId,
  sessionId,
  type UserId,
} from '../ids.ts'

const hashed = (...parts: string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22)

/**
 * The id of a session that begins with this message: the same for every repetition of the sending, so that a client which
 * heard nothing and asks again gets no second session (R10). `secret` keeps ids from being guessed.
 */
export const newSessionId = (secret: string, uid: UserId, cmid: ClientMessageId): SessionId =>
  sessionId(hashed('session', secret, uid, cmid))

/** The same for every repetition of the request (R12). */
export const newAnswerId = (sid: SessionId, seq: number, request: RequestId | ClientMessageId): AnswerId =>
  answerId(hashed('answer', sid, String(seq), request))

export const randomId = (): string => randomBytes(16).toString('base64url')

const NAME_LENGTH = 60

/** A session is named after its first message (S7): its first line, cut at a word. */
export function nameAfter(text: string): string | undefined {
  const line = text.split('\n', 1)[0]?.replace(/\s+/g, ' ').trim() ?? ''
  if (!line) return undefined
  const characters = Array.from(line)
  if (characters.length <= NAME_LENGTH) return line
  const cut = characters.slice(0, NAME_LENGTH).join('')
  const space = cut.lastIndexOf(' ')
  return `${space > NAME_LENGTH / 2 ? cut.slice(0, space) : cut}…`
}
