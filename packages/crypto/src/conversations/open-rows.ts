import type { Content, SealedSession, Session, Turn } from '@chatbox/core'
import { sessionAad, turnAad } from '../aad.ts'
import type { Box } from '../box.ts'
import type { TryOpen } from '../watch.ts'
import { withoutTexts } from './blank.ts'
import type { DataKey } from './data-keys.ts'
import { mapNames, mapTurn, type TextField } from './map-rows.ts'
import type { SealedTurn } from './seal-rows.ts'

const decode = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')

/** Names that do not open are left out: a session has to be found, ended and erased all the same. */
export function openSession(tryOpen: TryOpen, key: DataKey, session: SealedSession): Session {
  const { key: _, keyId: __, nm: ___, preview: ____, assistingAdminName: _____, ...rest } = session
  if (typeof key === 'string') return rest
  const names = mapNames(session, (value: Uint8Array, field) => {
    const name = tryOpen(field === 'preview' ? 'preview' : 'name', key, value, sessionAad(session.sid, field))
    return name && decode(name)
  })
  return { ...rest, ...names }
}

/** Undefined if anything in it does not open, which has then been counted. */
export function openTurn(tryOpen: TryOpen, box: Box, turn: SealedTurn): Turn | undefined {
  let whole = true
  const opened = (place: 'content' | TextField, value: Uint8Array, aad: Uint8Array) => {
    const bytes = tryOpen(place, box, value, aad)
    whole &&= bytes !== undefined
    return bytes ? decode(bytes) : ''
  }
  const inClear = mapTurn(
    turn,
    (content) => opened('content', content, turnAad(turn.sid, turn.seq, 'content')),
    (text, id, field) => opened(field, text, turnAad(turn.sid, id, field)),
  )
  return whole ? { ...inClear, content: JSON.parse(inClear.content) as Content } : undefined
}

/** A turn whose content and texts are no more, or can't be told. */
export const blankTurn = (turn: SealedTurn): Turn => ({ ...withoutTexts(turn), content: { text: '' } })
