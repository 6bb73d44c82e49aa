import { randomBytes, randomUUID } from 'node:crypto'
import { answerId, type SealedSession, type SessionId, sessionId, type Turn, userId } from '@chatbox/core'

export const sealedSession = (of: Partial<SealedSession> = {}): SealedSession => ({
  sid: sessionId(randomUUID()),
  uid: userId(randomUUID()),
  partition: 0,
  key: new Uint8Array(randomBytes(60)),
  keyId: 'k-1',
  modelId: 'model-1',
  ts: 1,
  lastActivity: 1,
  adminAssisted: false,
  helpRequested: false,
  totalTokens: 0,
  totalCost: 0,
  msgCount: 0,
  rts: [],
  ownerEpoch: 0,
  readSeq: 0,
  erased: false,
  rev: 0,
  ...of,
})

type SealedTurn = Turn<Uint8Array, Uint8Array>

export const sealedTurn = (sid: SessionId, seq: number, of: Partial<SealedTurn> = {}): SealedTurn => ({
  sid,
  seq,
  width: 1,
  partition: 0,
  author: 'user',
  authorId: userId('somebody'),
  kind: 'text',
  content: new Uint8Array(randomBytes(80)),
  ts: 1,
  unsettled: true,
  superseded: [],
  ...of,
})

export const sealedQuestion = (sid: SessionId, seq: number, of: Partial<SealedTurn> = {}) => ({
  ...sealedTurn(sid, seq, of),
  width: 2 as const,
  answer: {
    answerId: answerId(randomUUID()),
    status: 'pending' as const,
    attempt: 0,
    faults: 0,
    handbacks: 0,
    n: 0,
    modelId: 'model-1',
    askedAt: 1,
  },
})
