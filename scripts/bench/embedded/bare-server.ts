import uws from 'uWebSockets.js'
import { HARD_FRAME_LIMIT } from '@chatbox/protocol'

// What there is when nobody does anything: the yardstick for memory per connection. Run as a process of its own.
const app = uws.App()
app.ws('/chat/ws', {
  compression: uws.DISABLED,
  maxPayloadLength: HARD_FRAME_LIMIT,
  maxBackpressure: 4 * 1_048_576,
  idleTimeout: 60,
  sendPingsAutomatically: true,
  message: (socket, frame) => void socket.send(frame, false),
})
app.listen('127.0.0.1', 0, (socket) => {
  if (!socket) throw new Error('no port to listen on')
  process.stdout.write(`ready: http://127.0.0.1:${uws.us_socket_local_port(socket)}/\n`)
})
