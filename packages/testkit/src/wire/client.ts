import {
  type ClientFrame,
  type ServerFrame,
  type ServerFrameOf,
  type ServerFrameType,
  serverFrames,
} from '@chatbox/protocol'
import { type ClientOptions, WebSocket } from 'ws'

export type Sent = ClientFrame | Record<string, unknown> | string | Uint8Array

/** A bare connection that keeps every frame it was sent and holds each against the schema of the protocol. */
export interface WireClient {
  readonly frames: readonly ServerFrame[]
  /** Set once the connection has ended. */
  readonly end: { readonly code: number; readonly reason: string } | undefined
  send(frame: Sent): void
  /** The first frame of this type, from `from` on, that fits; waits for it. Rejects when the connection ends without it. */
  waitFor<T extends ServerFrameType>(
    type: T,
    fits?: (frame: ServerFrameOf<T>) => boolean,
    from?: number,
  ): Promise<ServerFrameOf<T>>
  closed(): Promise<{ code: number; reason: string }>
  /** Says hello and waits for `ready`. */
  hello(frame: { token: string; deviceId: string; resume?: string }): Promise<ServerFrameOf<'ready'>>
  close(): Promise<void>
  /** Cuts the connection without a word, as a network would. */
  cut(): void
  /** The raw socket, for what no client should do. */
  readonly socket: WebSocket
}

const WAIT_MS = 10_000

export interface WireOptions extends ClientOptions {
  /** How long a wait may take before it fails. */
  readonly waitMs?: number
}

/** Opens a socket to `url` (an http or ws address of the service) and waits until it is open. */
export async function connectWire(url: string, options: WireOptions = {}): Promise<WireClient> {
  const { waitMs = WAIT_MS, ...socketOptions } = options
  const address = new URL('/chat/ws', url.replace(/^http/, 'ws'))
  const origin = url.replace(/^ws/, 'http').replace(/\/$/, '')
  const socket = new WebSocket(address, { origin, perMessageDeflate: false, ...socketOptions })
  const client = wireClient(socket, waitMs)
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  return client
}

/** The status with which an upgrade was refused. */
export async function refusedUpgrade(url: string, options: WireOptions = {}): Promise<number> {
  const address = new URL('/chat/ws', url.replace(/^http/, 'ws'))
  const socket = new WebSocket(address, options)
  return new Promise((resolve, reject) => {
    socket.once('unexpected-response', (_request, response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    socket.once('open', () => {
      socket.terminate()
      reject(new Error('the upgrade was accepted'))
    })
    socket.on('error', reject)
  })
}

function wireClient(socket: WebSocket, waitMs: number): WireClient {
  const frames: ServerFrame[] = []
  const waiters = new Set<() => void>()
  let end: { code: number; reason: string } | undefined
  let broken: Error | undefined

  socket.on('message', (data, binary) => {
    try {
      if (binary) throw new Error('the server sent a binary frame')
      frames.push(parseServerFrame(String(data)))
    } catch (error) {
      broken = error as Error
    }
    wake()
  })
  socket.on('close', (code, reason) => {
    end = { code, reason: String(reason) }
    wake()
  })
  // What went wrong shows as the end of the connection.
  socket.on('error', (error) => {
    broken ??= socket.readyState === WebSocket.OPEN ? error : undefined
  })

  function wake(): void {
    for (const waiter of [...waiters]) waiter()
  }

  function wait<T>(what: string, look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer)
        waiters.delete(check)
        settle()
      }
      const check = () => {
        if (broken) return finish(() => reject(broken))
        try {
          const found = look()
          if (found !== undefined) finish(() => resolve(found))
        } catch (error) {
          finish(() => reject(error))
        }
      }
      const timer = setTimeout(() => {
        const seen = frames.map((frame) => frame.type).join(' ')
        finish(() => reject(new Error(`waited ${waitMs} ms for ${what}; seen: ${seen}; end: ${JSON.stringify(end)}`)))
      }, waitMs)
      waiters.add(check)
      check()
    })
  }

  const client: WireClient = {
    frames,
    socket,
    get end() {
      return end
    },
    send(frame) {
      socket.send(typeof frame === 'string' || frame instanceof Uint8Array ? frame : JSON.stringify(frame))
    },
    async waitFor<T extends ServerFrameType>(
      type: T,
      fits: (frame: ServerFrameOf<T>) => boolean = () => true,
      from = 0,
    ) {
      const isIt = (frame: ServerFrame): boolean => frame.type === type && fits(frame as unknown as ServerFrameOf<T>)
      const found = await wait(`${type}`, () => {
        const frame = frames.slice(from).find(isIt)
        if (!frame && end) throw new Error(`the connection ended with ${end.code} ${end.reason} before ${type}`)
        return frame
      })
      return found as unknown as ServerFrameOf<T>
    },
    closed: () => wait('the end', () => end),
    async hello(frame) {
      client.send({ type: 'hello', ...frame })
      return client.waitFor('ready')
    },
    async close() {
      if (end) return
      socket.close(1000)
      await client.closed()
    },
    cut: () => socket.terminate(),
  }
  return client
}

/** A frame as the protocol has it, or a fault of the server's. */
export function parseServerFrame(text: string): ServerFrame {
  const value: unknown = JSON.parse(text)
  const type = (value as { type?: unknown }).type
  if (typeof type !== 'string' || !Object.hasOwn(serverFrames, type))
    throw new Error(`the server sent a frame of type ${type}`)
  return serverFrames[type as ServerFrameType].parse(value) as ServerFrame
}
