import type { RequestId } from '@chatbox/core'
import type { ClientFrame, ErrorDetails } from '@chatbox/protocol'
import type { Connection, Member } from './connection.ts'
import { cancel } from './handlers/cancel.ts'
import { ping } from './handlers/ping.ts'
import { refresh } from './handlers/refresh.ts'
import { regenerate } from './handlers/regenerate.ts'
import { send } from './handlers/send.ts'
import { chooseModel, endSession, markRead } from './handlers/session.ts'

export type Routed = Exclude<ClientFrame, { type: 'hello' }>

/** One switch, one small file per command. */
export async function route(c: Connection, member: Member, frame: Routed, request: RequestId): Promise<void> {
  const visible = { id: request, details: detailsOf(frame) }
  switch (frame.type) {
    case 'message.send':
      return send(c, member, frame, visible)
    case 'answer.cancel':
      return cancel(c, member, frame, visible)
    case 'answer.regenerate':
      return regenerate(c, member, frame, visible)
    case 'session.model':
      return chooseModel(c, member, frame, visible)
    case 'session.read':
      return markRead(c, member, frame, visible)
    case 'session.end':
      return endSession(c, member, frame, visible)
    case 'typing':
      return c.type(frame)
    case 'auth.refresh':
      return refresh(c, member, frame, request)
    case 'ping':
      return ping(c, request)
    case 'help.request':
    case 'session.watch':
    case 'session.unwatch':
    case 'session.takeover':
    case 'session.heartbeat':
    case 'session.handback':
      return c.fail('not_supported', { requestId: request }, visible.details)
  }
}

/** What an error about this frame repeats of it, so that its sender can tell what went wrong. */
export const detailsOf = (frame: Routed): ErrorDetails => ({
  ...(frame.type === 'message.send' && { clientMessageId: frame.clientMessageId }),
  ...('sid' in frame && frame.sid !== undefined && { sid: frame.sid }),
})
