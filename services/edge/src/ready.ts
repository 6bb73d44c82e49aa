import { encodePosition, type Position } from '@chatbox/core'
import type { ServerFrameOf } from '@chatbox/protocol'
import type { Connection, Member } from './connection.ts'

export function readyFrame(
  { id, edge }: Pick<Connection, 'id' | 'edge'>,
  { identity }: Pick<Member, 'identity'>,
  state: { top: Position; recovered: boolean; resumes?: boolean },
): ServerFrameOf<'ready'> {
  const { limits, models, times } = edge
  const { top, recovered, resumes = true } = state
  return {
    type: 'ready',
    protocol: 1,
    connectionId: id,
    userId: identity.userId,
    at: encodePosition(top),
    recovered,
    // Those who lost their place at the same moment must not all ask at the same moment (R25).
    ...(!recovered && { reloadAfterMs: resumes ? Math.round(Math.random() * times.spreadMs) : 0 }),
    models: [...models.views],
    limits: { ...limits },
    pingMs: Math.round(times.idleMs / 2),
    expiresAt: identity.expiresAt,
  }
}
