import { answerId, sessionId } from '@chatbox/core'
import type { ClientFrameOf } from '@chatbox/protocol'
import type { Connection, Member } from '../connection.ts'
import { smallRequest, type Visible } from './request.ts'

export function cancel(c: Connection, member: Member, frame: ClientFrameOf<'answer.cancel'>, visible: Visible) {
  const { sid, answerId: answer } = frame
  return smallRequest(c, member, visible, {
    kind: 'answer.cancel',
    sid: sessionId(sid),
    answerId: answerId(answer),
  })
}
