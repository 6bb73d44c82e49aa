/** How a client says who it is to each of the servers, and what it is told when it is in. */
export type DialectName = 'chatbox' | 'echo' | 'socket.io'

export interface Greeting {
  readonly user: string
  readonly token: string
  readonly resume: string | undefined
}

export interface Dialect {
  readonly path: string
  /** Sent as soon as the socket is open. */
  first(greeting: Greeting): string | undefined
  /** A frame that comes before it is in: what to answer, or that it is in now. */
  greeted(frame: Buffer, greeting: Greeting): { readonly answer?: string; readonly ready?: boolean }
  /** A frame that comes later and is no event: what to answer. */
  asked?(frame: Buffer): string | undefined
}

const READY = Buffer.from('"type":"ready"')
const EIO = { open: 0x30, ping: 0x32, message: 0x34 }
const SIO_CONNECTED = 0x30

export const dialects: Readonly<Record<DialectName, Dialect>> = {
  chatbox: {
    path: '/chat/ws',
    first: hello,
    greeted: (frame) => ({ ready: frame.indexOf(READY) >= 0 }),
  },
  /** The bare server sends the same back; the forwarder answers when it listens for the user. */
  echo: {
    path: '/chat/ws',
    first: hello,
    greeted: () => ({ ready: true }),
  },
  'socket.io': {
    path: '/socket.io/?EIO=4&transport=websocket',
    first: () => undefined,
    greeted: (frame, { token }) =>
      frame[0] === EIO.open
        ? { answer: `40${JSON.stringify({ token })}` }
        : { ready: frame[0] === EIO.message && frame[1] === SIO_CONNECTED },
    asked: (frame) => (frame[0] === EIO.ping ? '3' : undefined),
  },
}

function hello({ user, token, resume }: Greeting): string {
  return JSON.stringify({
    type: 'hello',
    token,
    deviceId: `device-of-${user}`,
    ...(resume !== undefined && { resume }),
  })
}
