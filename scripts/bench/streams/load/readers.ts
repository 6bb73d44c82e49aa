import { connect, type Socket } from 'node:net'
import { serve } from '../../lib/child.ts'
import { type Tally, tally } from '../tally.ts'
import { readTokens } from '../token.ts'
import { type Listener, type Listeners, listenersOf } from './listeners.ts'

// A process of clients that ask a proxy and read its server-sent events.

export interface Readers extends Listeners {
  open(opening: { readonly url: string; readonly clients: number }): void
}

const CONTENT = Buffer.from('"content":"')
const END = Buffer.from('[DONE]')
const CHUNK_BYTES = 65_536

/** One for all: a chunk is looked at before the next one is read, whoever it is from. */
const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
const counted: Tally = tally()
let ways: ReturnType<typeof listenersOf> | undefined

function open(url: URL): Listener {
  const reader: Listener = {
    state: 'idle',
    ask() {
      /** Of an event that has not come whole yet. */
      let rest: Buffer | undefined
      const read = (size: number, from: Buffer): boolean => {
        const fresh = from.subarray(0, size)
        const bytes = rest ? Buffer.concat([rest, fresh]) : fresh
        const taken = hear(reader, bytes)
        rest = taken < bytes.length ? Buffer.from(bytes.subarray(taken)) : undefined
        if (reader.state === 'whole') socket.destroy()
        return true
      }
      const socket: Socket = connect({
        host: url.hostname,
        port: Number(url.port),
        noDelay: true,
        onread: { buffer: chunk, callback: read },
      })
      socket.on('connect', () => socket.write(`GET /chat HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`))
      socket.on('error', () => undefined)
      socket.on('close', () => {
        if (reader.state !== 'whole') reader.state = 'broken'
      })
    },
  }
  return reader
}

/** How much of it is done with. */
function hear(reader: Listener, bytes: Buffer): number {
  let done = 0
  for (let at = bytes.indexOf(CONTENT); at >= 0; at = bytes.indexOf(CONTENT, done)) {
    let first = reader.state === 'asked'
    const end = readTokens(bytes, at + CONTENT.length, (units) => {
      counted.token(units)
      if (first) counted.first(units)
      if (first) reader.state = 'speaking'
      first = false
    })
    if (end < 0) return at
    done = end
    counted.frame()
  }
  if (bytes.indexOf(END, done) >= 0) reader.state = 'whole'
  return Math.max(done, bytes.length - CONTENT.length)
}

function all(): ReturnType<typeof listenersOf> {
  if (!ways) throw new Error('nobody is there')
  return ways
}

serve<Readers>({
  open({ url, clients }) {
    ways = listenersOf(
      Array.from({ length: clients }, () => open(new URL(url))),
      counted,
    )
  },
  begin: (beginning) => all().begin(beginning),
  mark: () => all().mark(),
  heard: () => all().heard(),
  firsts: () => all().firsts(),
  over: () => all().over(),
})
