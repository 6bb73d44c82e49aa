import { sessionId } from '@chatbox/core'
import { type ClientFrameOf, encodeFrame } from '@chatbox/protocol'
import type { Connection, Member } from '../connection.ts'

/** Of use now or never: not logged, not promised. Goes to the user's own other devices, so a foreign id reaches nobody else. */
export async function typing(
  connection: Connection,
  member: Member,
  { sid, active }: ClientFrameOf<'typing'>,
): Promise<void> {
  const { allowed } = await connection.edge.fabric.limiter.consume('requests', member.uid)
  if (!allowed) return
  await connection.edge.fabric.bus.signal(member.uid, {
    header: { class: 'signal', type: 'typing', sid: sessionId(sid), except: connection.id },
    body: encodeFrame({ type: 'typing', sid, author: 'user', active }),
  })
}
