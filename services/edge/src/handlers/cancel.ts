import { answerId, type RequestId, sessionId } from '@chatbox/core'
import type { ClientFrameOf } from '@chatbox/protocol'
import type { Connection, Member } from '../connection.ts'
import { request } from './request.ts'

export function cancel(c: Connection, member: Member, frame: ClientFrameOf<'answer.cancel'>, visible: RequestId) {
  const sid = sessionId(frame.sid)
  return request(c, member, { kind: 'answer.cancel', sid, answerId: answerId(frame.answerId) }, visible, { sid })
}
