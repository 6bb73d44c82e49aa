import uws, { type WebSocket } from 'uWebSockets.js'
import type { Box } from '@chatbox/crypto'
import { HARD_FRAME_LIMIT } from '@chatbox/protocol'
import { Redis } from 'ioredis'
import { forwarderBox, forwarderChannel, SEALED_FOR_FORWARDER } from './forwarding.ts'

// The least that can stand between Redis and sockets: whoever names a user gets what is published for that user, opened first
// where there is a key. No token, no log, no limits. Run as a process of its own.
interface Listener {
  readonly socket: WebSocket<unknown>
  readonly box: Box | undefined
}

const { REDIS_URL = '', FORWARDER_KEY } = process.env
const boxOf = FORWARDER_KEY === undefined ? undefined : forwarderBox(Buffer.from(FORWARDER_KEY, 'base64'))
const redis = new Redis(REDIS_URL)
const listeners = new Map<string, Listener>()

redis.on('smessageBuffer', (channel: Buffer, payload: Buffer) => {
  const listener = listeners.get(channel.toString('latin1'))
  if (!listener) return
  const { box, socket } = listener
  socket.send(box ? box.open(payload, SEALED_FOR_FORWARDER) : payload, false)
})

async function listenFor(socket: WebSocket<unknown>, user: string): Promise<void> {
  const channel = forwarderChannel(user)
  listeners.set(channel, { socket, box: boxOf?.(user) })
  await redis.ssubscribe(channel)
  socket.send('listening', false)
}

const app = uws.App()
app.ws('/chat/ws', {
  compression: uws.DISABLED,
  maxPayloadLength: HARD_FRAME_LIMIT,
  maxBackpressure: 4 * 1_048_576,
  idleTimeout: 60,
  sendPingsAutomatically: true,
  message(socket, frame) {
    const { deviceId } = JSON.parse(Buffer.from(frame).toString()) as { deviceId: string }
    void listenFor(socket, deviceId.replace('device-of-', ''))
  },
})
app.listen('127.0.0.1', 0, (socket) => {
  if (!socket) throw new Error('no port to listen on')
  process.stdout.write(`ready: http://127.0.0.1:${uws.us_socket_local_port(socket)}/\n`)
})
