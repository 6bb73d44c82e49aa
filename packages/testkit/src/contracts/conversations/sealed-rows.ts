import { randomBytes } from 'node:crypto'
import type { Answer, SealedConversations, SealedSession, Turn } from '@chatbox/core'
import { someSession } from './rows.ts'
import { byteValues } from './store.ts'

export type SealedTurn = Turn<Uint8Array, Uint8Array>
export type SealedAnswer = Answer<Uint8Array>

/** A session with a key and with all that is sealed in its row. */
export async function sealedSession(
  conversations: SealedConversations,
  of: Partial<SealedSession> = {},
): Promise<SealedSession> {
  const { nm: _, preview: __, assistingAdminName: ___, ...row } = someSession()
  const session = {
    ...row,
    key: new Uint8Array(randomBytes(60)),
    keyId: 'k-1',
    nm: byteValues.of('a name'),
    preview: byteValues.of('said last'),
    assistingAdminName: byteValues.of('Wanda'),
    ...of,
  }
  await conversations.createSession(session)
  return session
}

/** Comparable whatever kind of byte array an adapter gives. */
export const plain = (bytes: Uint8Array | undefined): number[] | undefined => bytes && [...bytes]

export const textOfBytes = (bytes: Uint8Array | undefined): string | undefined => bytes && byteValues.read(bytes)
