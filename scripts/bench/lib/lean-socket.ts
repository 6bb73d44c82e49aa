import { connect, type Socket } from 'node:net'

/** Nobody checks it here, but it must have 16 bytes. */
const NONCE = Buffer.from('the sample nonce').toString('base64')

/** Enough of a WebSocket client to load a server with: what it costs must not pass for the server's. */
export interface LeanSocket {
  send(text: string): void
  /** Gone without a word, as with a network that broke. */
  cut(): void
}

export interface LeanListener {
  open(socket: LeanSocket): void
  /** Text as bytes, which are good until this returns. */
  frame(bytes: Buffer, socket: LeanSocket): void
  /** Once. */
  closed(end: LeanEnd): void
}

export interface LeanEnd {
  /** Of the close frame; 1006 without one; the status where the server refused to open it. */
  readonly code: number
  readonly retryAfterMs: number | undefined
  /** What the system says, where it was no orderly end. */
  readonly error: string | undefined
}

const TEXT = 1
const CLOSE = 8
const PING = 9
const PONG = 10
const FIN = 0x80
const MASKED = 0x80
const ABNORMAL = 1006
const CHUNK_BYTES = 65_536

/** One for all: a chunk is looked at before the next one is read, whoever it is from. */
const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
const END_OF_HEAD = Buffer.from('\r\n\r\n')

export function openLeanSocket(url: string, origin: string | undefined, listener: LeanListener): void {
  const { hostname, port, pathname, search } = new URL(url)
  let opened = false
  let code = ABNORMAL
  let retryAfterMs: number | undefined
  let error: string | undefined
  /** Of a frame, or of the answer to the upgrade, that has not come whole yet. */
  let rest: Buffer | undefined

  const read = (size: number, from: Buffer): boolean => {
    const fresh = from.subarray(0, size)
    const bytes = rest ? Buffer.concat([rest, fresh]) : fresh
    const taken = opened ? frames(bytes, 0) : head(bytes)
    rest = taken < bytes.length ? Buffer.from(bytes.subarray(taken)) : undefined
    return true
  }
  const socket: Socket = connect({
    host: hostname,
    port: Number(port),
    noDelay: true,
    onread: { buffer: chunk, callback: read },
  })
  socket.on('connect', () => {
    const from = origin === undefined ? '' : `Origin: ${origin}\r\n`
    socket.write(
      `GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${from}` +
        `Sec-WebSocket-Key: ${NONCE}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    )
  })
  socket.on('error', ({ message }) => {
    error = message
  })
  socket.on('close', () => listener.closed({ code, retryAfterMs, error }))

  function head(bytes: Buffer): number {
    const end = bytes.indexOf(END_OF_HEAD)
    if (end < 0) return 0
    const text = bytes.toString('latin1', 0, end)
    if (!text.startsWith('HTTP/1.1 101')) {
      code = Number(text.slice(9, 12))
      const [, seconds] = /^retry-after: (\d+)/im.exec(text) ?? []
      if (seconds !== undefined) retryAfterMs = Number(seconds) * 1_000
      socket.destroy()
      return bytes.length
    }
    opened = true
    listener.open(lean)
    return frames(bytes, end + END_OF_HEAD.length)
  }

  function frames(bytes: Buffer, from: number): number {
    let at = from
    while (bytes.length - at >= 2) {
      const short = (bytes[at + 1] ?? 0) & 0x7f
      const body = at + (short < 126 ? 2 : short === 126 ? 4 : 10)
      if (bytes.length < body) break
      const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6)
      if (bytes.length < body + length) break
      take((bytes[at] ?? 0) & 0x0f, bytes.subarray(body, body + length))
      at = body + length
    }
    return at
  }

  function take(opcode: number, payload: Buffer): void {
    if (opcode === TEXT) listener.frame(payload, lean)
    else if (opcode === PING) write(PONG, payload)
    else if (opcode === CLOSE) {
      if (payload.length >= 2) code = payload.readUInt16BE(0)
      socket.destroy()
    }
  }

  function write(opcode: number, payload: Buffer): void {
    const long = payload.length > 125
    // The mask of a client may be any four bytes; with zeros the payload stays as it is.
    const frame = Buffer.alloc((long ? 8 : 6) + payload.length)
    frame[0] = FIN | opcode
    frame[1] = MASKED | (long ? 126 : payload.length)
    if (long) frame.writeUInt16BE(payload.length, 2)
    frame.set(payload, long ? 8 : 6)
    socket.write(frame)
  }

  const lean: LeanSocket = {
    send: (text) => write(TEXT, Buffer.from(text)),
    cut: () => void socket.destroy(),
  }
}
