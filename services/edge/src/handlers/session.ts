import { sessionId } from '@chatbox/core'
import type { ClientFrameOf } from '@chatbox/protocol'
import type { Connection, Member } from '../connection.ts'
import { smallRequest, type Visible } from './request.ts'

export function chooseModel(c: Connection, member: Member, frame: ClientFrameOf<'session.model'>, visible: Visible) {
  const { sid, modelId } = frame
  return smallRequest(c, member, visible, { kind: 'session.model', sid: sessionId(sid), modelId })
}

export function markRead(c: Connection, member: Member, { sid, seq }: ClientFrameOf<'session.read'>, visible: Visible) {
  return smallRequest(c, member, visible, { kind: 'session.read', sid: sessionId(sid), seq })
}

export function endSession(c: Connection, member: Member, { sid }: ClientFrameOf<'session.end'>, visible: Visible) {
  return smallRequest(c, member, visible, { kind: 'session.end', sid: sessionId(sid) })
}
