import type { RequestId } from '@chatbox/core'
import type { Connection } from '../connection.ts'

export function ping(connection: Connection, request: RequestId): void {
  connection.send({ type: 'pong', requestId: request, ts: Date.now() })
}
