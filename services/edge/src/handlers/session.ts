import { type RequestId, sessionId } from '@chatbox/core'
import type { ClientFrameOf } from '@chatbox/protocol'
import type { Connection, Member } from '../connection.ts'
import { request } from './request.ts'

export function chooseModel(c: Connection, member: Member, frame: ClientFrameOf<'session.model'>, visible: RequestId) {
  const sid = sessionId(frame.sid)
  return request(c, member, { kind: 'session.model', sid, modelId: frame.modelId }, visible, { sid })
}

export function markRead(c: Connection, member: Member, frame: ClientFrameOf<'session.read'>, visible: RequestId) {
  const sid = sessionId(frame.sid)
  return request(c, member, { kind: 'session.read', sid, seq: frame.seq }, visible, { sid })
}

export function endSession(c: Connection, member: Member, frame: ClientFrameOf<'session.end'>, visible: RequestId) {
  const sid = sessionId(frame.sid)
  return request(c, member, { kind: 'session.end', sid }, visible, { sid })
}
