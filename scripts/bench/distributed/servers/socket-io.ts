import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createVerifier } from '@chatbox/runtime'
import { Server } from 'socket.io'
import { redisAdapter, roomOf } from './socket-io-adapter.ts'

// Socket.IO as its documentation sets it up for many servers: a verified token, a room per user, a Redis adapter, sockets only. Run as a process of its own.
const { REDIS_URL = '', JWT_SECRET = '', ADAPTER } = process.env
const verifier = createVerifier({ secret: JWT_SECRET })
const server = createServer()
const io = new Server(server, {
  adapter: await redisAdapter(ADAPTER === 'streams' ? 'streams' : 'sharded', REDIS_URL),
  transports: ['websocket'],
  perMessageDeflate: false,
  serveClient: false,
})
io.use((socket, next) => {
  verifier.verify(String(socket.handshake.auth.token)).then(
    async ({ userId }) => {
      await socket.join(roomOf(userId))
      next()
    },
    () => next(new Error('unauthorized')),
  )
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`ready: http://127.0.0.1:${port}/\n`)
})
