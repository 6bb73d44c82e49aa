import type { Answer, AnswerEnd, AnswerId, SessionChange, SessionId, Turn } from '@chatbox/core'
import { sessionAad, turnAad } from '../aad.ts'
import type { Box } from '../box.ts'
import { withoutTexts } from './blank.ts'

export type SealedTurn = Turn<Uint8Array, Uint8Array>
export type NameField = 'nm' | 'assistingAdminName'

/** What an erased row holds in place of its content. */
const NOTHING = new Uint8Array(0)

const encode = (text: string): Uint8Array => Buffer.from(text, 'utf8')

export function sealTurn(box: Box, turn: Turn): SealedTurn {
  const { answer, superseded, ...rest } = turn
  return {
    ...rest,
    content: box.seal(encode(JSON.stringify(turn.content)), turnAad(turn.sid, turn.seq, 'content')),
    superseded: superseded.map((old) => sealAnswer(box, turn.sid, old)),
    ...(answer && { answer: sealAnswer(box, turn.sid, answer) }),
  }
}

/** For a session without a key: nothing of it can be sealed, so nothing of it is kept. */
export const sealedStub = (turn: Turn): SealedTurn => ({ ...withoutTexts(turn), content: NOTHING })

export function sealAnswer(box: Box, sid: SessionId, answer: Answer): Answer<Uint8Array> {
  const { text, ...rest } = answer
  return { ...rest, ...(text !== undefined && { text: sealText(box, sid, answer.answerId, text) }) }
}

export const sealEnd = (box: Box, sid: SessionId, id: AnswerId, end: AnswerEnd): AnswerEnd<Uint8Array> => ({
  ...end,
  text: sealText(box, sid, id, end.text),
})

const sealText = (box: Box, sid: SessionId, id: AnswerId, text: string): Uint8Array =>
  box.seal(encode(text), turnAad(sid, id, 'text'))

type Names<Text> = Pick<SessionChange<Text>, NameField>

/** A session, or what changes in one. Without a box the names are left out. */
export function sealNames<S extends Names<string>>(
  box: Box | undefined,
  sid: SessionId,
  row: S,
): Omit<S, NameField> & Names<Uint8Array> {
  const { nm, assistingAdminName, ...rest } = row
  if (!box) return rest
  const sealed = (name: string, field: NameField) => box.seal(encode(name), sessionAad(sid, field))
  return {
    ...rest,
    ...(nm !== undefined && { nm: sealed(nm, 'nm') }),
    ...(assistingAdminName !== undefined && { assistingAdminName: sealed(assistingAdminName, 'assistingAdminName') }),
  }
}
