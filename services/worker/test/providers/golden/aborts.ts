import { setTimeout as pause } from 'node:timers/promises'
import type { FakeCall, Script } from '@chatbox/testkit/providers'
import type { ProviderEvent } from '@chatbox/worker'
import { expect, it } from 'vitest'
import { type Open, type Opened, opened, QUESTION } from './opened.ts'

const WITHIN_MS = 500
const never = new Promise<never>(() => undefined)
const enough = new Error('enough')

const LONG = 'many words '.repeat(2_000)

/** When the caller has had enough, the vendor's request ends at once. */
export function aborts(open: Open): void {
  it.each([
    ['before headers', { beforeHeaders: never }],
    ['before the first piece', { steps: [{ hang: true }] }],
  ] as [string, Script][])('ends the request when it is aborted %s', async (_, script) => {
    const { fake, provider } = await opened(open)
    fake.next(script)
    const stopping = new AbortController()
    const first = iterate(provider, stopping.signal).next()
    const heard = expect(first).rejects.toBe(enough)
    await fake.call(0)
    await aborted(stopping, fake)
    await heard
  })

  it('ends the request when it is aborted in the middle', async () => {
    const { fake, provider } = await opened(open)
    fake.next({ steps: [{ say: 'So far' }, { hang: true }] })
    const stopping = new AbortController()
    const events = iterate(provider, stopping.signal)
    await firstText(events)
    const heard = expect(rest(events)).rejects.toBe(enough)
    await aborted(stopping, fake)
    await heard
  })

  it.each([
    ['has nothing to say', [{ say: 'So far' }, { hang: true }]],
    ['says more than anybody reads', Array.from({ length: 2_000 }, () => ({ say: LONG }))],
  ] as [string, Script['steps'] & object][])(
    'ends the request while nobody iterates and the vendor %s',
    async (_, steps) => {
      const { fake, provider } = await opened(open)
      fake.next({ steps })
      const stopping = new AbortController()
      const events = iterate(provider, stopping.signal)
      await firstText(events)
      await aborted(stopping, fake)
      await expect(rest(events)).rejects.toBe(enough)
    },
  )

  it('does not ask when it is aborted already', async () => {
    const { fake, provider } = await opened(open)
    await expect(rest(iterate(provider, AbortSignal.abort(enough)))).rejects.toBe(enough)
    expect(fake.calls).toEqual([])
  })

  it('ends the request when its listener goes away', async () => {
    const { fake, provider } = await opened(open)
    fake.next({ steps: [{ say: 'So far' }, { hang: true }] })
    const events = iterate(provider, new AbortController().signal)
    await firstText(events)
    await events.return?.()
    await closesSoon(await fake.call(0))
  })

  it('leaves the answers of others alone', async () => {
    const { fake, provider } = await opened(open)
    let goOn: () => void = () => undefined
    const wait = new Promise<void>((resolve) => {
      goOn = resolve
    })
    fake.next({ steps: [{ say: 'one' }, { wait }, { say: ' two' }, { end: 'stop' }] })
    const other = iterate(provider, new AbortController().signal)
    await firstText(other)
    fake.next({ steps: [{ say: 'So far' }, { hang: true }] })
    const stopping = new AbortController()
    const events = iterate(provider, stopping.signal)
    await firstText(events)
    await aborted(stopping, fake, 1)
    goOn()
    expect((await rest(other)).at(-1)).toEqual({ type: 'end', reason: 'stop' })
  })
}

const iterate = (provider: Opened['provider'], signal: AbortSignal): AsyncIterator<ProviderEvent> =>
  provider.stream(QUESTION, signal)[Symbol.asyncIterator]()

/** Up to the first text, and nothing further. */
async function firstText(events: AsyncIterator<ProviderEvent>): Promise<void> {
  for (;;) {
    const { done, value } = await events.next()
    if (done) throw new Error('there was no text')
    if (value.type === 'text') return
  }
}

async function rest(events: AsyncIterator<ProviderEvent>): Promise<ProviderEvent[]> {
  const all: ProviderEvent[] = []
  for (;;) {
    const { done, value } = await events.next()
    if (done) return all
    all.push(value)
  }
}

/** Aborts, and sees the vendor's side of the connection close in time. */
async function aborted(stopping: AbortController, fake: Opened['fake'], index = 0): Promise<void> {
  const call = await fake.call(index)
  stopping.abort(enough)
  await closesSoon(call)
}

const TICK_MS = 10

/** By the client, within the time as this process has it: on a machine that is busy elsewhere, both sides are slower alike. */
async function closesSoon({ closed }: FakeCall): Promise<void> {
  for (let ms = 0; ms < WITHIN_MS; ms += TICK_MS) {
    const over = await Promise.race([closed, pause(TICK_MS)])
    if (over) return expect(over.byClient).toBe(true)
  }
  expect.fail(`the request was still open after ${WITHIN_MS} ms`)
}
