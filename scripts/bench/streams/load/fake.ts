import uws, { type HttpResponse } from 'uWebSockets.js'
import { chatStream, type Stream } from '@chatbox/testkit/providers'
import { serve } from '../../lib/child.ts'
import { sharedNow } from '../../lib/clock.ts'
import { tokenNow } from '../token.ts'

// A process that says what the fake OpenAI of the tests says, byte for byte, at a fixed rate to however many ask, for little.

export interface FakeModel {
  listen(options: { readonly tokensPerSecond: number }): string
  /** Its streams of now come to their end mark. */
  finish(none: undefined): void
}

interface Said {
  readonly stream: Stream
  readonly before: string
  readonly after: string
  readonly response: HttpResponse
}

const PLACE = 'the-place-of-a-token'

/** By the millisecond of their period in which they speak, so that they don't all speak at once. */
let slots: Set<Said>[] = []
let beat = 0
let begun = 0

function speak(): void {
  const now = Math.floor(sharedNow())
  for (; beat <= now; beat++) {
    for (const { before, after, response } of slots[beat % slots.length] ?? []) {
      // The head of a chunk and what is in it leave in one write.
      response.cork(() => response.write(`${before}${tokenNow()}${after}`))
    }
  }
  setTimeout(speak, 1)
}

function answer(response: HttpResponse, body: unknown): void {
  const stream = chatStream(body)
  const [before = '', after = ''] = stream.write({ say: PLACE }).split(PLACE)
  const said: Said = { stream, before, after, response }
  const slot = slots[begun++ % slots.length]
  response.onAborted(() => slot?.delete(said))
  response.cork(() => {
    response.writeStatus('200 OK').writeHeader('content-type', stream.contentType)
    response.write(stream.begin())
  })
  slot?.add(said)
}

function listen(): string {
  const app = uws.App()
  app.post('/*', (response) => {
    const parts: Buffer[] = []
    let aborted = false
    response.onAborted(() => {
      aborted = true
    })
    response.onData((part, last) => {
      parts.push(Buffer.from(Buffer.from(part)))
      if (last && !aborted) answer(response, JSON.parse(Buffer.concat(parts).toString('utf8')))
    })
  })
  let port = 0
  app.listen('127.0.0.1', 0, (socket) => {
    if (socket) port = uws.us_socket_local_port(socket)
  })
  if (port === 0) throw new Error('no port to listen on')
  return `http://127.0.0.1:${port}`
}

serve<FakeModel>({
  listen({ tokensPerSecond }) {
    slots = Array.from({ length: Math.round(1_000 / tokensPerSecond) }, () => new Set())
    beat = Math.floor(sharedNow())
    speak()
    return listen()
  },
  finish() {
    for (const slot of slots) {
      for (const { stream, response } of slot) {
        const usage = stream.write({ usage: { input: 10, output: 1_000 } })
        response.cork(() => response.end(usage + stream.write({ end: 'stop' })))
      }
      slot.clear()
    }
  },
})
