import type { Answer, Content, SealedSession, Session, SessionId, Turn } from '@chatbox/core'
import { sessionAad, turnAad } from '../aad.ts'
import type { Box } from '../box.ts'
import type { TryOpen } from '../watch.ts'
import { withoutTexts } from './blank.ts'
import type { DataKey } from './data-keys.ts'
import type { NameField, SealedTurn } from './seal-rows.ts'

const decode = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')

/** Names that do not open are left out: a session has to be found, ended and erased all the same. */
export function openSession(tryOpen: TryOpen, key: DataKey, session: SealedSession): Session {
  const { key: _, nm, assistingAdminName, ...rest } = session
  if (typeof key === 'string') return rest
  const opened = (value: Uint8Array | undefined, field: NameField) => {
    const name = value && tryOpen('name', key, value, sessionAad(session.sid, field))
    return name && { [field]: decode(name) }
  }
  return { ...rest, ...opened(nm, 'nm'), ...opened(assistingAdminName, 'assistingAdminName') }
}

/** Undefined if anything in it does not open, which has then been counted. */
export function openTurn(tryOpen: TryOpen, box: Box, turn: SealedTurn): Turn | undefined {
  const bytes = tryOpen('content', box, turn.content, turnAad(turn.sid, turn.seq, 'content'))
  const answer = turn.answer && openAnswer(tryOpen, box, turn.sid, turn.answer)
  const superseded = turn.superseded
    .map((old) => openAnswer(tryOpen, box, turn.sid, old))
    .filter((old) => old !== undefined)
  if (!bytes || (turn.answer && !answer) || superseded.length < turn.superseded.length) return undefined
  const { answer: _, ...rest } = turn
  return { ...rest, content: JSON.parse(decode(bytes)) as Content, superseded, ...(answer && { answer }) }
}

function openAnswer(tryOpen: TryOpen, box: Box, sid: SessionId, sealed: Answer<Uint8Array>): Answer | undefined {
  const { text, ...rest } = sealed
  if (text === undefined) return rest
  const bytes = tryOpen('text', box, text, turnAad(sid, sealed.answerId, 'text'))
  return bytes && { ...rest, text: decode(bytes) }
}

/** A turn whose content and texts are no more, or can't be told. */
export const blankTurn = (turn: SealedTurn): Turn => ({ ...withoutTexts(turn), content: { text: '' } })
