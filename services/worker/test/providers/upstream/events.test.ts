import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ProviderFault } from '../../../src/provider.ts'
import { eventsOf, readJson, type ServerEvent } from '../../../src/providers/upstream/events.ts'

const headers = { 'content-type': 'text/event-stream' }

/** A stream of these bytes in parts of this size, after a first one of another, which knows whether it was cancelled. */
function streaming(bytes: Uint8Array | string, size = Number.MAX_SAFE_INTEGER, first = size) {
  const all = Buffer.from(bytes)
  let next = first
  let at = 0
  let cancelled = false
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= all.length) return controller.close()
      controller.enqueue(all.subarray(at, at + next))
      at += next
      next = size
    },
    cancel() {
      cancelled = true
    },
  })
  return {
    response: new Response(body, { headers }),
    get cancelled() {
      return cancelled
    },
  }
}

async function all(response: Response, mostBytes?: number): Promise<ServerEvent[]> {
  const events: ServerEvent[] = []
  for await (const event of eventsOf(response, mostBytes === undefined ? {} : { mostBytes })) events.push(event)
  return events
}

const write = ({ name, data }: ServerEvent, newline: string): string =>
  [...(name === undefined ? [] : [`event: ${name}`]), ...data.split('\n').map((line) => `data: ${line}`), '', ''].join(
    newline,
  )

describe('the events of a stream', () => {
  it('are the same in whatever parts the bytes come', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => text.replaceAll(/[\r\n]/g, '|'))
    const event = fc.record({
      name: fc.option(
        text.map((name) => `e${name}`),
        { nil: undefined },
      ),
      data: fc.array(text, { minLength: 1, maxLength: 3 }).map((lines) => lines.join('\n')),
    })
    const noise = fc.constantFrom('', ': comment', 'event: ping', 'id: 7', 'retry: 10', 'nonsense')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(event, noise), { minLength: 1, maxLength: 3 }),
        fc.constantFrom('\n', '\r\n'),
        async (told, newline) => {
          const bytes = Buffer.from(
            told.map(([event, noise]) => noise + newline + newline + write(event, newline)).join(''),
          )
          const events = told.map(([event]) => event)
          expect(await all(streaming(bytes, 1).response)).toEqual(events)
          for (let cut = 1; cut < bytes.length; cut += 1) {
            expect(await all(streaming(bytes, bytes.length, cut).response)).toEqual(events)
          }
        },
      ),
      { numRuns: 6 },
    )
  })

  it('read a field with and without a space behind its colon, and keep every further one', async () => {
    const { response } = streaming('data:a\n\ndata: b\n\ndata:  c\n\ndata\n\n')
    expect((await all(response)).map(({ data }) => data)).toEqual(['a', 'b', ' c', ''])
  })

  it('may have a byte order mark before the first of them, which is no part of it', async () => {
    const bytes = '\uFEFFevent: a\ndata: \uFEFFb\n\n\uFEFFdata: c\n\ndata: d\n\n'
    for (const size of [1, 2, 1_000]) {
      const events = await all(streaming(bytes, size).response)
      expect(events).toEqual([
        { name: 'a', data: '\uFEFFb' },
        { name: undefined, data: 'd' },
      ])
    }
  })

  it('leave out what the stream did not finish', async () => {
    expect(await all(streaming('data: whole\n\ndata: ha').response)).toEqual([{ name: undefined, data: 'whole' }])
  })

  it.each([
    ['one line', `data: ${'x'.repeat(2_000)}`],
    ['many lines', 'data: x\n'.repeat(300)],
    ['comments that never end', ': x\n'.repeat(500)],
    ['a line that does end', `data: ${'x'.repeat(2_000)}\n\n`],
  ])('are bounded, and the request ends: %s', async (_, bytes) => {
    for (const size of [1, 7, 5_000]) {
      const stream = streaming(`data: first\n\n${bytes}`, size)
      const events: ServerEvent[] = []
      const reading = (async () => {
        for await (const event of eventsOf(stream.response, { mostBytes: 1_000 })) events.push(event)
      })()
      await expect(reading).rejects.toThrow(/longer than 1000 bytes/)
      expect(events).toEqual([{ name: undefined, data: 'first' }])
      // Where all of it had come in one part, there was nothing left to cancel.
      if (size < 5_000) expect(stream.cancelled).toBe(true)
    }
  })

  it('may be as long as the bound, again and again', async () => {
    const event = `data: ${'x'.repeat(992)}\n\n`
    expect(event).toHaveLength(1_000)
    expect(await all(streaming(event.repeat(20), 333).response, 1_000)).toHaveLength(20)
  })

  it('take a mebibyte in the smallest parts in a time that grows with its length only', async () => {
    const bytes = `data: ${'x'.repeat(1024 * 1024 - 8)}\n\n`
    const [event] = await all(streaming(bytes, 16).response)
    expect(event?.data).toHaveLength(1024 * 1024 - 8)
  })

  it('are UTF-8', async () => {
    const bytes = Buffer.from('data: first\n\ndata: AB\n\n')
    bytes.set([0xc3, 0x28], bytes.indexOf('AB'))
    await expect(all(streaming(bytes).response)).rejects.toThrow(/UTF-8/)
  })

  it('end the request of who stops reading', async () => {
    const stream = streaming('data: x\n\n'.repeat(100), 8)
    for await (const _ of eventsOf(stream.response)) break
    expect(stream.cancelled).toBe(true)
  })

  it.each([
    ['text/html; charset=utf-8', 'data: x\n\n', /HTML instead of a stream/, false],
    ['application/json', 'data: x\n\n', /JSON instead of a stream/, false],
    ['text/event-stream', '', /nothing that is an event/, true],
    ['text/plain', 'Bad gateway', /nothing that is an event/, true],
  ])('are not looked for in %s with %j', async (type, body, message, retryable) => {
    const response = new Response(body, { headers: { 'content-type': type } })
    await expect(all(response)).rejects.toMatchObject({ message: expect.stringMatching(message), retryable })
  })

  it('are found under a kind of content that says nothing', async () => {
    for (const type of ['text/plain', 'application/octet-stream']) {
      expect(await all(new Response('data: x\n\n', { headers: { 'content-type': type } }))).toHaveLength(1)
    }
  })
})

describe('what is said in JSON', () => {
  it('is what it has to be, or a fault that does not quote it', () => {
    const schema = z.object({ a: z.number() })
    expect(readJson('{"a":1,"b":2}', schema)).toEqual({ a: 1 })
    for (const data of ['{"a":"secret"}', '{"a":secret', 'null', '[]', '']) {
      const read = () => readJson(data, schema)
      expect(read).toThrow(ProviderFault)
      expect(read).not.toThrow(/secret/)
    }
  })
})
