import type { Answer, AnswerEnd, AnswerId, Feedback, Session, SessionChange, SessionId, Turn } from '@chatbox/core'
import { sessionAad, turnAad } from '../aad.ts'
import type { Box } from '../box.ts'
import { withoutTexts } from './blank.ts'
import { mapAnswer, mapFeedback, mapNames, mapTurn, type NameField, type TextField } from './map-rows.ts'

export type SealedTurn = Turn<Uint8Array, Uint8Array>

/** What an erased row holds in place of its content. */
const NOTHING = new Uint8Array(0)

const encode = (text: string): Uint8Array => Buffer.from(text, 'utf8')

const sealText = (box: Box, sid: SessionId, text: string, id: AnswerId, field: TextField): Uint8Array =>
  box.seal(encode(text), turnAad(sid, id, field))

export const sealTurn = (box: Box, turn: Turn): SealedTurn =>
  mapTurn(
    turn,
    (content) => box.seal(encode(JSON.stringify(content)), turnAad(turn.sid, turn.seq, 'content')),
    (text, id, field) => sealText(box, turn.sid, text, id, field),
  )

/** For a session without a key: nothing of it can be sealed, so nothing of it is kept. */
export const sealedStub = (turn: Turn): SealedTurn => ({ ...withoutTexts(turn), content: NOTHING })

export const sealAnswer = (box: Box, sid: SessionId, answer: Answer): Answer<Uint8Array> =>
  mapAnswer(answer, (text, id, field) => sealText(box, sid, text, id, field))

export const sealEnd = (box: Box, sid: SessionId, id: AnswerId, end: AnswerEnd): AnswerEnd<Uint8Array> => {
  const { text, thread, ...rest } = end
  return {
    ...rest,
    text: sealText(box, sid, text, id, 'text'),
    ...(thread !== undefined && { thread: sealText(box, sid, thread, id, 'thread') }),
  }
}

export const sealFeedback = (box: Box, sid: SessionId, id: AnswerId, feedback: Feedback): Feedback<Uint8Array> =>
  mapFeedback(feedback, (comment) => sealText(box, sid, comment, id, 'comment'))

export function sealSession(box: Box, session: Session): Session<Uint8Array> {
  const { nm: _, preview: __, assistingAdminName: ___, ...rest } = session
  return { ...rest, ...sealNames(box, session.sid, session) }
}

/** Without a box what is written is left out; what takes something away stays. */
export function sealChange(box: Box | undefined, sid: SessionId, change: SessionChange): SessionChange<Uint8Array> {
  const { nm, preview, assistingAdminName, ...rest } = change
  return {
    ...rest,
    ...(nm === null && { nm }),
    ...(preview === null && { preview }),
    ...(assistingAdminName === null && { assistingAdminName }),
    ...(box && sealNames(box, sid, change)),
  }
}

const sealNames = (box: Box, sid: SessionId, row: Pick<SessionChange, NameField>) =>
  mapNames(row, (name: string, field) => box.seal(encode(name), sessionAad(sid, field)))
