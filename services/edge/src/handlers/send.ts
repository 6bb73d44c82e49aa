import { clientMessageId, kindOf, newSessionId, Refusal, sessionId } from '@chatbox/core'
import type { ClientFrameOf } from '@chatbox/protocol'
import type { Connection, Member } from '../connection.ts'
import { type Asked, request, type Visible } from './request.ts'

export function send(c: Connection, member: Member, frame: ClientFrameOf<'message.send'>, visible: Visible) {
  return request(c, member, visible, () => ask(c, member, frame))
}

async function ask({ edge, log }: Connection, { uid }: Member, frame: ClientFrameOf<'message.send'>): Promise<Asked> {
  const { text = '', files, metadata, modelId } = frame
  if (modelId !== undefined && !edge.models.has(modelId)) throw new Refusal('not_found', { field: 'modelId' })
  const consumed = await edge.fabric.limiter.consume('messages', uid)
  if (!consumed.allowed) {
    log.warn({ bucket: 'messages' }, 'a rate limit was reached')
    throw new Refusal('rate_limited', { retryAfterMs: consumed.retryAfterMs })
  }

  const cmid = clientMessageId(frame.clientMessageId)
  return {
    kind: 'send',
    sid: frame.sid === undefined ? newSessionId(edge.sessionSecret, uid, cmid) : sessionId(frame.sid),
    fresh: frame.sid === undefined,
    said: {
      author: 'user',
      authorId: uid,
      cmid,
      kind: kindOf(files),
      content: { text, ...(files && { files }), ...(metadata && { metadata }) },
      ...(modelId !== undefined && { modelId }),
    },
  }
}
