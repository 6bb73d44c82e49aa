import type { Script } from '@chatbox/testkit/providers'
import { expect, it } from 'vitest'
import { listen, type Open, type Opened, opened } from './opened.ts'

const STATUSES = [
  [400, 'provider_rejected', false],
  [401, 'provider_error', false],
  [403, 'provider_error', false],
  [404, 'provider_error', false],
  [408, 'provider_error', true],
  [409, 'provider_error', true],
  [413, 'provider_rejected', false],
  [422, 'provider_rejected', false],
  [429, 'provider_overloaded', true],
  [500, 'provider_error', true],
  [502, 'provider_error', true],
  [503, 'provider_overloaded', true],
  [529, 'provider_overloaded', true],
] as const

const MIB = 1024 * 1024

/** Bytes in the middle of an answer that nobody can read. */
const GARBAGE: Record<string, (frames: Opened['frames']) => string | Uint8Array> = {
  'an event that is no JSON': ({ event }) => event('{"half": '),
  'an event whose JSON is something else': ({ event }) => event('["a", 1]'),
  'bytes that are no UTF-8': ({ text }) => {
    const bytes = Buffer.from(text('AAAA'))
    bytes.set([0xc3, 0x28, 0xff, 0xfe], bytes.indexOf('AAAA'))
    return bytes
  },
  'a line of 10 MB': ({ text }) => text('x'.repeat(10 * MIB)),
  'an event of 10 MB in short lines': () => `${': nothing to say here\n'.repeat((10 * MIB) / 22)}\n`,
}

/** What goes wrong, and how it is told to those who decide what comes next. */
export function faults(open: Open): void {
  it.each(STATUSES)('makes of the status %i the code %s, worth another try: %s', async (status, code, retryable) => {
    const { fake, provider } = await opened(open)
    fake.next({ status })
    const { fault, events } = await listen(provider)
    expect(events).toEqual([])
    expect(fault).toMatchObject({ code, retryable, retryAfterMs: undefined })
    expect(fault?.message).toContain(String(status))
    // Whether there is another try is not the adapter's to decide.
    expect(fake.calls).toHaveLength(1)
  })

  it.each([429, 503, 529])('tells how long a %i asks to wait, in seconds or by a date', async (status) => {
    const { fake, provider } = await opened(open)
    fake.next({ status, headers: { 'retry-after': '7' } })
    expect((await listen(provider)).fault).toMatchObject({ retryable: true, retryAfterMs: 7_000 })

    const at = new Date(Date.now() + 90_000).toUTCString()
    fake.next({ status, headers: { 'retry-after': at } })
    const { fault } = await listen(provider)
    expect(fault?.retryAfterMs).toBeLessThanOrEqual(90_000)
    expect(fault?.retryAfterMs).toBeGreaterThan(30_000)

    fake.next({ status, headers: { 'retry-after': 'soon' } })
    expect((await listen(provider)).fault).toMatchObject({ retryable: true, retryAfterMs: undefined })
  })

  it.each([
    ['HTML', { body: '<!doctype html><p>Sign in</p>', headers: { 'content-type': 'text/html' } }],
    [
      'HTML that says it is a stream',
      { body: '<!doctype html>\n\n<p>', headers: { 'content-type': 'text/event-stream' } },
    ],
    ['nothing at all', { body: '', headers: { 'content-type': 'text/event-stream' } }],
  ] as [string, Script][])('does not take %s with status 200 for an answer', async (_, script) => {
    const { fake, provider } = await opened(open)
    fake.next(script)
    const { fault, events } = await listen(provider)
    expect(events).toEqual([])
    expect(fault).toMatchObject({ code: 'provider_error' })
  })

  it('tells of a connection that nobody takes', async () => {
    const { fake, provider } = await open()
    await fake.stop()
    expect(await listen(provider)).toMatchObject({ events: [], fault: { code: 'provider_error', retryable: true } })
  })

  it.each([
    ['before the first piece', []],
    ['in the middle', [{ say: 'So ' }, { say: 'far' }]],
  ])('takes a stream that ends %s without its mark for no end', async (_, steps) => {
    const { fake, provider } = await opened(open)
    fake.next({ steps })
    const { ends, fault } = await listen(provider)
    expect(ends).toEqual([])
    // Who says nothing leaves it to the caller, for whom it is a fault of the same kind.
    if (fault) expect(fault).toMatchObject({ code: 'provider_error', retryable: true })
  })

  it.each([
    ['before the first piece', ''],
    ['in the middle', 'So far'],
  ])('tells that the connection broke %s', async (_, text) => {
    const { fake, provider } = await opened(open)
    fake.next({ steps: [...(text ? [{ say: text }] : []), { wait: 20 }, { cut: true }] })
    const said = await listen(provider)
    expect(said).toMatchObject({ text, ends: [], fault: { code: 'provider_error', retryable: true } })
  })

  it.each([
    [false, 'provider_error'],
    [true, 'provider_overloaded'],
  ])('tells of an error inside the stream, overloaded: %s', async (overloaded, code) => {
    const { fake, provider } = await opened(open)
    fake.next({ steps: [{ say: 'So far' }, { error: 'the vendor has a bad day', overloaded }] })
    const { text, ends, fault } = await listen(provider)
    expect({ text, ends }).toEqual({ text: 'So far', ends: [] })
    expect(fault).toMatchObject({ code, retryable: true })
    expect(fault?.message).toContain('bad day')
  })

  for (const [what, garbage] of Object.entries(GARBAGE)) {
    it(`fails clearly on ${what}, and ends the request`, async () => {
      const { fake, provider, frames } = await opened(open)
      fake.next({ steps: [{ say: 'So far' }, { raw: garbage(frames) }, { hang: true }] })
      const { text, ends, fault } = await listen(provider)
      expect({ text, ends }).toEqual({ text: 'So far', ends: [] })
      expect(fault).toMatchObject({ code: 'provider_error' })
      expect(fault?.message.length).toBeLessThan(600)
      expect((await (await fake.call(0)).closed).byClient).toBe(true)
    })
  }
}
