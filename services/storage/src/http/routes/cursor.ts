import { Refusal, type Session, type SessionId, sessionId } from '@chatbox/core'

interface Place {
  readonly lastActivity: number
  readonly sid: SessionId
}

/** Opaque to clients: where the next page of sessions begins. */
export const cursorOf = ({ lastActivity, sid }: Pick<Session, 'lastActivity' | 'sid'>): string =>
  Buffer.from(`${lastActivity}.${sid}`).toString('base64url')

export function parseCursor(cursor: string): Place {
  const [activity = '', sid = ''] = Buffer.from(cursor, 'base64url').toString('utf8').split('.')
  const place = { lastActivity: Number(activity), sid: sessionId(sid) }
  // Letter by letter what was given out: decoding leaves out what is no letter of it, and takes many texts for the same number.
  if (!/^\d{1,16}$/.test(activity) || !/^[A-Za-z0-9_-]{1,128}$/.test(sid) || cursorOf(place) !== cursor) {
    throw new Refusal('invalid_frame', { field: 'cursor' })
  }
  return place
}
