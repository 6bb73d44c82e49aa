import type { ClientFrame, ServerFrame } from '@chatbox/protocol'
import type { SocketLike } from './api.ts'
import { type Liveness, watchLiveness } from './liveness.ts'

export interface LinkOptions {
  readonly socket: SocketLike
  readonly hello: ClientFrame
  readonly silenceMs: number
  readonly probeMs: number
  onFrame(frame: ServerFrame): void
  /** Once, unless `end` was called first. */
  onClosed(code: number, reason: string): void
}

/** One socket's life: says hello, hands over what it hears, says once that it is over. */
export interface Link {
  /** The socket was open once: somebody let it in. */
  readonly opened: boolean
  /** False when the socket is not open. */
  send(frame: ClientFrame | string): boolean
  /** The server has let us in: from now on its silence counts. */
  settle(pingMs: number): void
  probe(): void
  end(): void
}

const OPEN = 1
const ABNORMAL = 1006

export function openLink(options: LinkOptions): Link {
  const { socket } = options
  let liveness: Liveness | undefined
  let over = false
  let opened = false

  const send = (frame: ClientFrame | string): boolean => {
    if (over || socket.readyState !== OPEN) return false
    socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
    return true
  }
  const end = () => {
    if (over) return
    over = true
    liveness?.stop()
    socket.close(1000)
  }

  socket.onopen = () => {
    opened = true
    send(options.hello)
  }
  socket.onmessage = (event: { data: unknown }) => {
    if (over) return
    liveness?.heard()
    const frame = parse(event.data)
    if (frame) options.onFrame(frame)
  }
  socket.onclose = (event: { code: number; reason: string }) => {
    if (over) return
    over = true
    liveness?.stop()
    options.onClosed(event.code, event.reason)
  }
  // A close follows each error and says more. `ws` throws where nobody listens, so somebody does, to the very end.
  socket.onerror = () => undefined

  return {
    get opened() {
      return opened
    },
    send,
    settle(pingMs) {
      liveness ??= watchLiveness({
        quietMs: Math.min(pingMs, (options.silenceMs * 2) / 3),
        silenceMs: options.silenceMs,
        probeMs: Math.min(options.probeMs, options.silenceMs),
        ping: () => send({ type: 'ping' }),
        dead: () => {
          if (over) return
          end()
          options.onClosed(ABNORMAL, '')
        },
      })
    },
    probe: () => liveness?.probe(),
    end,
  }
}

/** What is no object with a `type` is passed over. The rest is trusted: it comes from our own server. */
function parse(data: unknown): ServerFrame | undefined {
  if (typeof data !== 'string') return undefined
  try {
    const value: unknown = JSON.parse(data)
    return typeof value === 'object' && value !== null && 'type' in value ? (value as ServerFrame) : undefined
  } catch {
    return undefined
  }
}
