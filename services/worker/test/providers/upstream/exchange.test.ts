import { describe, expect, it } from 'vitest'
import { type ProviderEvent, ProviderFault } from '../../../src/provider.ts'
import { exchange } from '../../../src/providers/upstream/exchange.ts'

const live = () => new AbortController().signal
const text = (text: string): ProviderEvent => ({ type: 'text', text })
const END: ProviderEvent = { type: 'end', reason: 'stop' }
const USAGE: ProviderEvent = { type: 'usage', inputTokens: 1, outputTokens: 2 }

const hangs = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted somewhere below'))))

const throwing = (error: unknown) =>
  async function* (): AsyncGenerator<ProviderEvent, void> {
    yield* []
    throw error
  }

async function all(events: AsyncIterable<ProviderEvent>): Promise<ProviderEvent[]> {
  const told: ProviderEvent[] = []
  for await (const event of events) told.push(event)
  return told
}

describe('one request to a vendor', () => {
  it('tells the end last, behind totals that come after it', async () => {
    const told = all(
      exchange(live(), async function* () {
        yield* [text('a'), END, USAGE]
      }),
    )
    expect(await told).toEqual([text('a'), USAGE, END])
  })

  it('has its end although the connection breaks behind it', async () => {
    const told = all(
      exchange(live(), async function* () {
        yield* [text('a'), END]
        throw new TypeError('terminated')
      }),
    )
    expect(await told).toEqual([text('a'), END])
  })

  it('has its end although the vendor lingers behind it, and does not leave the request open', async () => {
    let closed = false
    const lingering = exchange(
      live(),
      async function* (signal) {
        signal.addEventListener('abort', () => {
          closed = true
        })
        yield* [text('a'), END]
        await hangs(signal)
      },
      { graceMs: 10 },
    )
    expect(await all(lingering)).toEqual([text('a'), END])
    expect(closed).toBe(true)
  })

  it('has no end of its own making', async () => {
    const told = exchange(live(), async function* () {
      yield text('a')
    })
    expect(await all(told)).toEqual([text('a')])
  })

  it('makes a fault worth another try of whatever the way there throws, and passes on faults', async () => {
    const broken = exchange(live(), throwing(new TypeError('terminated')))
    await expect(all(broken)).rejects.toMatchObject({ code: 'provider_error', retryable: true })
    const fault = new ProviderFault('provider_rejected', 'no')
    await expect(all(exchange(live(), throwing(fault)))).rejects.toBe(fault)
  })

  it('rejects with what it was aborted for, also where what is below throws something else or just ends', async () => {
    for (const below of [hangs, (signal: AbortSignal) => hangs(signal).catch(() => undefined)]) {
      const stopping = new AbortController()
      const reason = new Error('enough')
      const told = all(
        exchange(stopping.signal, async function* (signal) {
          yield text('a')
          await below(signal)
        }),
      )
      stopping.abort(reason)
      await expect(told).rejects.toBe(reason)
    }
  })

  it('asks nothing when it is aborted already', async () => {
    let asked = false
    const reason = new Error('enough')
    const told = exchange(AbortSignal.abort(reason), async function* () {
      asked = true
      yield END
    })
    await expect(all(told)).rejects.toBe(reason)
    expect(asked).toBe(false)
  })

  it('ends with its listener, while the vendor is silent as well', async () => {
    let closed = false
    const told = exchange(live(), async function* (signal) {
      signal.addEventListener('abort', () => {
        closed = true
      })
      yield text('a')
      await hangs(signal)
    })
    for await (const _ of told) break
    expect(closed).toBe(true)
  })
})
