import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { PAGE, until } from './open-edge.ts'

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export interface FrameParts {
  readonly opcode: number
  readonly payload?: string | Uint8Array
  /** Whether this is the last fragment. Default true. */
  readonly fin?: boolean
  /** The three reserved bits. */
  readonly reserved?: number
  /** Clients mask what they send. */
  readonly masked?: boolean
}

export interface ReceivedFrame {
  readonly opcode: number
  readonly fin: boolean
  readonly payload: Buffer
}

/** A WebSocket that says whatever it is told to, right or wrong. */
export interface RawSocket {
  readonly frames: readonly ReceivedFrame[]
  readonly ended: boolean
  send(frame: FrameParts): void
  /** Bytes as they are. */
  write(bytes: Uint8Array): void
  /** The first frame with this opcode, from `from` on. */
  waitFor(opcode: number, from?: number): Promise<ReceivedFrame>
  /** The code of the close frame, or undefined if the connection ended without one. */
  closed(): Promise<number | undefined>
}

export function frameBytes({ opcode, payload = '', fin = true, reserved = 0, masked = true }: FrameParts): Buffer {
  const body = Buffer.from(payload)
  const head = [(fin ? 0x80 : 0) | (reserved << 4) | opcode]
  const mask = masked ? 0x80 : 0
  if (body.length < 126) head.push(mask | body.length)
  else if (body.length < 65_536) head.push(mask | 126, body.length >> 8, body.length & 0xff)
  else head.push(mask | 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((bits) => (body.length >>> bits) & 0xff))
  if (!masked) return Buffer.concat([Buffer.from(head), body])
  const key = randomBytes(4)
  const hidden = body.map((byte, i) => byte ^ (key[i % 4] ?? 0))
  return Buffer.concat([Buffer.from(head), key, hidden])
}

export async function openRawSocket(url: string): Promise<RawSocket> {
  const { hostname, port, host } = new URL(url)
  const socket: Socket = connect(Number(port), hostname)
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  socket.setNoDelay(true)
  socket.write(
    [
      'GET /chat/ws HTTP/1.1',
      `Host: ${host}`,
      `Origin: ${PAGE}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      'Sec-WebSocket-Version: 13',
      '\r\n',
    ].join('\r\n'),
  )
  const frames: ReceivedFrame[] = []
  let unread = Buffer.alloc(0)
  let open = false
  let ended = false
  const take = () => {
    if (!open) {
      const end = unread.indexOf('\r\n\r\n')
      if (end < 0) return
      open = unread.toString('latin1').startsWith('HTTP/1.1 101')
      if (!open) return
      unread = unread.subarray(end + 4)
    }
    for (let frame = nextFrame(unread); frame; frame = nextFrame(unread)) {
      frames.push(frame)
      unread = unread.subarray(frame.size)
    }
  }
  socket.on('data', (bytes) => {
    unread = Buffer.concat([unread, bytes])
    take()
  })
  for (const event of ['close', 'error', 'end']) {
    socket.on(event, () => {
      ended = true
    })
  }
  await until(() => open, 'the upgrade was answered')

  return {
    frames,
    get ended() {
      return ended
    },
    send: (frame) => void socket.write(frameBytes(frame)),
    write: (bytes) => void socket.write(bytes),
    async waitFor(opcode, from = 0) {
      let found: ReceivedFrame | undefined
      await until(() => {
        found = frames.slice(from).find((frame) => frame.opcode === opcode)
        return found !== undefined
      }, `a frame ${opcode} came`)
      if (!found) throw new Error('no frame')
      return found
    },
    async closed() {
      await until(() => ended, 'the connection ended')
      const close = frames.find(({ opcode }) => opcode === opcodes.close)
      // A close frame may say nothing, which stands for 1005.
      return close && (close.payload.length < 2 ? 1005 : close.payload.readUInt16BE(0))
    },
  }
}

/** Servers do not mask. */
function nextFrame(bytes: Buffer): (ReceivedFrame & { readonly size: number }) | undefined {
  if (bytes.length < 2) return undefined
  const [first = 0, second = 0] = bytes
  const short = second & 0x7f
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0
  if (bytes.length < 2 + lengthBytes) return undefined
  const length =
    lengthBytes === 2 ? bytes.readUInt16BE(2) : lengthBytes === 8 ? Number(bytes.readBigUInt64BE(2)) : short
  const size = 2 + lengthBytes + length
  if (bytes.length < size) return undefined
  return {
    opcode: first & 0x0f,
    fin: (first & 0x80) !== 0,
    payload: Buffer.from(bytes.subarray(2 + lengthBytes, size)),
    size,
  }
}
