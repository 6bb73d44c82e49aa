import { Refusal, sessionId } from '@chatbox/core'
import type { ClientFrameOf } from '@chatbox/protocol'
import type { Connection, Member } from '../connection.ts'
import { request, type Visible } from './request.ts'
import { spend } from './spend.ts'

/** Costs what a message costs: a model is asked. */
export function regenerate(c: Connection, member: Member, frame: ClientFrameOf<'answer.regenerate'>, visible: Visible) {
  const { sid, seq, modelId } = frame
  return request(c, member, visible, async () => {
    if (modelId !== undefined && !c.edge.models.has(modelId)) throw new Refusal('not_found', { field: 'modelId' })
    await spend(c, 'messages', member.uid)
    return {
      kind: 'answer.regenerate',
      sid: sessionId(sid),
      seq,
      wish: visible.id,
      ...(modelId !== undefined && { modelId }),
    }
  })
}
