import type { Session, Turn } from '@chatbox/core'

/** Says in the history what was done, at its place in the order (R1). */
export const systemLine = (session: Session, seq: number, ts: number, event: string, text: string): Turn => ({
  sid: session.sid,
  seq,
  width: 1,
  partition: session.partition,
  author: 'system',
  authorId: session.uid,
  kind: 'system',
  event,
  content: { text },
  ts,
  unsettled: true,
  superseded: [],
})
