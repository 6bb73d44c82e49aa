import { clientMessageId, kindOf, newSessionId, Refusal, sessionId } from '@chatbox/core'
import type { ClientFrameOf } from '@chatbox/protocol'
import type { Connection, Member } from '../connection.ts'
import { type Asked, request, type Visible } from './request.ts'
import { spend } from './spend.ts'

export function send(c: Connection, member: Member, frame: ClientFrameOf<'message.send'>, visible: Visible) {
  return request(c, member, visible, () => ask(c, member, frame))
}

async function ask(connection: Connection, { uid }: Member, frame: ClientFrameOf<'message.send'>): Promise<Asked> {
  const { edge } = connection
  const { text = '', files, metadata, modelId } = frame
  if (modelId !== undefined && !edge.models.has(modelId)) throw new Refusal('not_found', { field: 'modelId' })
  await spend(connection, 'messages', uid)

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
