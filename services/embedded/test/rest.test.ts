import { Readable } from 'node:stream'
import type { HttpRequest } from '@chatbox/edge'
import Fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { passOn } from '../src/rest.ts'

const PIECE = Buffer.alloc(65_536)

/** Streams for ever, and says when it was told to stop. */
function endless() {
  const app = Fastify()
  let pieces = 0
  let stopped: () => void = () => undefined
  const told = new Promise<void>((resolve) => {
    stopped = resolve
  })
  async function* source() {
    try {
      for (;;) {
        pieces += 1
        yield PIECE
      }
    } finally {
      stopped()
    }
  }
  app.get('/endless', (_request, reply) => reply.send(Readable.from(source(), { highWaterMark: 1 })))
  return { app, told, pieces: () => pieces }
}

const requestOf = (signal: AbortSignal): HttpRequest => ({
  ...{ method: 'GET', url: '/endless', headers: {}, address: '127.0.0.1' },
  body: async () => new Uint8Array(),
  signal,
})

const bodyOf = (response: Awaited<ReturnType<typeof passOn>>): AsyncIterator<Uint8Array> => {
  if (typeof response.body === 'string' || response.body instanceof Uint8Array) throw new Error('it is not streamed')
  return response.body[Symbol.asyncIterator]()
}

describe('a stream that is passed on in process', () => {
  it('is made as fast as it is taken', async () => {
    const { app, pieces } = endless()
    const gone = new AbortController()
    const body = bodyOf(await passOn(app, requestOf(gone.signal)))
    for (let i = 0; i < 20; i++) await body.next()
    for (let i = 0; i < 300; i++) await new Promise(setImmediate)
    expect(pieces()).toBeLessThan(40)
    await body.return?.()
    await app.close()
  })

  it('is told to stop when the client goes away', async () => {
    const { app, told } = endless()
    const gone = new AbortController()
    const body = bodyOf(await passOn(app, requestOf(gone.signal)))
    await body.next()
    gone.abort(new Error('the client went away'))
    await told
    await expect(body.next()).rejects.toThrow()
    await app.close()
  })

  it('is told to stop when nobody takes it any more', async () => {
    const { app, told } = endless()
    const body = bodyOf(await passOn(app, requestOf(new AbortController().signal)))
    await body.next()
    await body.return?.()
    await told
    await app.close()
  })
})
