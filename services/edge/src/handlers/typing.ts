import { sessionId } from '@chatbox/core'
import { type ClientFrameOf, encodeFrame } from '@chatbox/protocol'
import type { Connection } from '../connection.ts'

/**
 * Of use now or never: not logged, not promised, and nobody is told of a fault. Goes to the user's own other devices, so a foreign id
 * reaches nobody else.
 */
export async function typing(connection: Connection, { sid, active }: ClientFrameOf<'typing'>): Promise<void> {
  const { edge, id, log, member } = connection
  if (!member) return
  try {
    const { allowed } = await edge.fabric.limiter.consume('requests', member.uid)
    if (!allowed) return edge.metrics.passedOver.inc({ type: 'typing' })
    await edge.fabric.bus.signal(member.uid, {
      header: { class: 'signal', type: 'typing', sid: sessionId(sid), except: id },
      body: encodeFrame({ type: 'typing', sid, author: 'user', active }),
    })
  } catch (err) {
    edge.metrics.passedOver.inc({ type: 'typing' })
    log.debug({ err }, 'nobody could be told who types')
  }
}
