import { clientMessageId, kindOf, newSessionId, type RequestId, sessionId } from '@chatbox/core'
import type { ClientFrameOf } from '@chatbox/protocol'
import type { Connection, Member } from '../connection.ts'
import { request } from './request.ts'

export async function send(
  connection: Connection,
  member: Member,
  frame: ClientFrameOf<'message.send'>,
  visible: RequestId,
): Promise<void> {
  const { edge } = connection
  const details = { clientMessageId: frame.clientMessageId, ...(frame.sid !== undefined && { sid: frame.sid }) }
  if (frame.modelId !== undefined && !edge.models.has(frame.modelId)) {
    return connection.fail('not_found', { requestId: visible }, { ...details, field: 'modelId' })
  }
  const consumed = await edge.fabric.limiter.consume('messages', member.uid)
  if (!consumed.allowed) {
    connection.log.warn({ bucket: 'messages' }, 'a rate limit was reached')
    const { retryAfterMs } = consumed
    return connection.fail('rate_limited', { requestId: visible }, { ...details, retryAfterMs })
  }

  const cmid = clientMessageId(frame.clientMessageId)
  const sid = frame.sid === undefined ? newSessionId(edge.sessionSecret, member.uid, cmid) : sessionId(frame.sid)
  const { text = '', files, metadata, modelId } = frame
  await request(
    connection,
    member,
    {
      kind: 'send',
      sid,
      fresh: frame.sid === undefined,
      said: {
        author: 'user',
        authorId: member.uid,
        cmid,
        kind: kindOf(files),
        content: { text, ...(files && { files }), ...(metadata && { metadata }) },
        ...(modelId !== undefined && { modelId }),
      },
    },
    visible,
    details,
  )
}
