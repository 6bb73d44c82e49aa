import type { Script, Step } from '@chatbox/testkit/providers'
import { available, type RunningServer, startRedis } from '@chatbox/testkit/servers'
import { shownTexts, type WireClient } from '@chatbox/testkit/wire'
import { defaultWorkerTimes } from '@chatbox/worker'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { endsOf, sayUntilTaken } from './system.ts'
import { type Planned, startVendors, VENDOR_NAMES, type VendorName, type VendorScene } from './vendors.ts'

const there = await available('redis')

/** From the cancel to the end of the vendor's request (L3). */
const WITHIN_MS = 500
/** More than the tests that run side by side have under way, and few, so that all are soon busy. */
const CONCURRENCY = 8

/** So that the flag does not make up for a signal that never comes. */
const RARELY_MS = 5_000
/** A machine that is full may be late now and then; what is late by design is late each time. */
const TRIES = 3
const SOON = { timeout: 5_000 }

const never = new Promise<never>(() => undefined)
const ALL = 'All of it.'
const DRIP = Array.from({ length: 3_000 }, (): Step[] => [{ say: 'drop ' }, { wait: 20 }]).flat()

interface Stage {
  readonly name: string
  readonly script: Script
  /** What the one who cancels has seen by then. */
  readonly sees: (text: string) => boolean
  readonly keeps: RegExp
  /** The vendor has come to its end by itself. */
  readonly over?: boolean
}

const STAGES: readonly Stage[] = [
  { name: 'before headers', script: { beforeHeaders: never }, sees: () => true, keeps: /^$/ },
  { name: 'before the first token', script: { steps: [{ hang: true }] }, sees: () => true, keeps: /^$/ },
  { name: 'mid-stream', script: { steps: DRIP }, sees: (text) => text.length > 20, keeps: /^(drop ){4,}$/ },
  {
    name: 'at the last token',
    script: { steps: [{ say: 'All of' }, { say: ' it.' }, { hang: true }] },
    sees: (text) => text === ALL,
    keeps: /^All of it\.$/,
  },
  {
    name: 'behind the end mark, when the stream is still open',
    script: { steps: [{ say: ALL }, { end: 'stop' }, { hang: true }] },
    sees: (text) => text === ALL,
    keeps: /^All of it\.$/,
    over: true,
  },
]

describe.skipIf(!there).each([
  { name: 'an answer is cancelled from another device on another edge', signal: true, bound: WITHIN_MS },
  {
    name: 'the same when its signal is lost, by the flag',
    signal: false,
    bound: defaultWorkerTimes.cancelPollMs + WITHIN_MS,
  },
])('$name', { timeout: 60_000 }, ({ signal, bound }) => {
  let redis: RunningServer
  let scene: VendorScene
  let asks: WireClient
  let stops: WireClient

  beforeAll(async () => {
    redis = await startRedis()
    scene = await startVendors({
      redisUrl: redis.url,
      clockScale: 1,
      workerBounds: { concurrency: CONCURRENCY },
      ...(signal
        ? { workerTimes: { cancelPollMs: RARELY_MS } }
        : { aroundAnswers: (answers) => ({ ...answers, onCancel: async () => async () => undefined }) }),
    })
    ;[asks, stops] = await scene.pair('ada')
    // Whatever is slow once, is slow now.
    for (const vendor of VENDOR_NAMES) await ended(await ask(vendor, { steps: [{ say: 'Hello.' }, { end: 'stop' }] }))
  })
  afterAll(async () => {
    await scene?.stop()
    await redis?.stop()
  })

  interface Asked {
    readonly sid: string
    readonly answerId: string
    readonly plan: Planned
  }

  async function ask(modelId: VendorName, script: Script, within?: string): Promise<Asked> {
    const plan = scene.plan(script)
    const more = { modelId, ...(within !== undefined && { sid: within }) }
    const { sid, answer } = await sayUntilTaken(asks, `Please answer ${plan.mark}`, more)
    return { sid, answerId: answer?.answerId ?? '', plan }
  }

  /** When it was sent. */
  function cancel({ sid, answerId }: Asked): number {
    stops.send({ type: 'answer.cancel', sid, answerId })
    return performance.now()
  }

  /** As both devices and the database have it, which are of one mind. */
  async function ended({ sid, answerId }: Asked) {
    const isIt = (frame: { answerId: string }) => frame.answerId === answerId
    const both = await Promise.all([asks, stops].map((device) => device.waitFor('answer.done', isIt)))
    const { turns } = await scene.system.stored(sid)
    const answer = turns.find((turn) => turn.answer?.answerId === answerId)?.answer
    if (!answer) throw new Error('the answer is not stored')
    const { status, usage } = answer
    expect(both.map((done) => [done.status, done.usage])).toEqual([status, status].map((each) => [each, usage]))
    const shown = [asks, stops].map(({ frames }) => shownTexts(frames).get(answerId)?.text ?? '')
    expect(shown).toEqual([answer.text, answer.text])
    return answer
  }

  /** How often Dify was asked to stop it. */
  const stopsOf = ({ sid }: Asked): number => scene.fakes.dify.stops.filter(({ user }) => user === sid).length

  /** When the vendor's side of its only request was closed, by us. */
  async function closed({ plan }: Asked): Promise<number> {
    const { byClient, at } = await (await plan.call(0)).closed
    expect(byClient).toBe(true)
    expect(plan.calls).toHaveLength(1)
    return at
  }

  const side = signal ? describe : describe.concurrent
  side.each(VENDOR_NAMES)('%s', (vendor) => {
    it.each(STAGES)('$name', async (stage) => {
      for (let tries = 1; ; tries += 1) {
        const tookMs = await cancelledAt(stage)
        if (tookMs > bound && tries < TRIES) continue
        return expect(tookMs).toBeLessThanOrEqual(bound)
      }
    })

    /** How long the vendor was left in ignorance. */
    async function cancelledAt({ script, sees, keeps, over = false }: Stage): Promise<number> {
      const asked = await ask(vendor, script)
      await asked.plan.call(0)
      const shown = () => shownTexts(stops.frames).get(asked.answerId)?.text ?? ''
      if (!sees('')) await stops.waitFor('answer.delta', () => sees(shown()))
      const sent = cancel(asked)
      const tookMs = (await closed(asked)) - sent
      const { status, text = '', usage } = await ended(asked)
      expect(status).toBe('cancelled')
      expect(text).toMatch(keeps)
      expect(usage?.inputTokens).toBeGreaterThan(0)
      if (text !== '') expect(usage?.outputTokens).toBeGreaterThan(0)
      expect(usage?.estimated).toBe(true)
      // What goes on at Dify when nobody listens is stopped, as soon as it is known by a name.
      const runsOn = vendor === 'dify' && text !== '' && !over
      if (runsOn) await vi.waitFor(() => expect(stopsOf(asked)).toBe(1), SOON)
      if (over) expect(stopsOf(asked)).toBe(0)
      return tookMs
    }

    it('while its end mark is on its way: ended once, one way or the other', async () => {
      for (let round = 0; round < 5; round += 1) {
        let goOn: () => void = () => undefined
        const wait = new Promise<void>((resolve) => {
          goOn = resolve
        })
        const asked = await ask(vendor, { steps: [{ say: ALL }, { wait }, { end: 'stop' }] })
        await stops.waitFor('answer.delta', ({ answerId }) => answerId === asked.answerId)
        cancel(asked)
        goOn()
        const { status, text } = await ended(asked)
        expect(['done', 'cancelled']).toContain(status)
        expect(text).toBe(ALL)
      }
    })
  })

  it('while it waits for another answer of its session: nobody is asked', async () => {
    const first = await ask('openAIChat', { steps: [{ hang: true }] })
    await first.plan.call(0)
    const second = await ask('openAIChat', {}, first.sid)
    cancel(second)
    expect(await ended(second)).toMatchObject({ status: 'cancelled', text: '', attempt: 0 })
    cancel(first)
    await closed(first)
    await ended(first)
    expect(second.plan.calls).toEqual([])
  })

  it('while all workers are busy: nobody is asked', async () => {
    const busy = await Promise.all(
      Array.from({ length: CONCURRENCY }, () => ask('openAIChat', { beforeHeaders: never })),
    )
    await Promise.all(busy.map(({ plan }) => plan.call(0)))
    const queued = await ask('dify', {})
    cancel(queued)
    expect(await ended(queued)).toMatchObject({ status: 'cancelled', text: '', attempt: 0 })
    for (const each of busy) cancel(each)
    for (const each of busy) {
      await closed(each)
      expect((await ended(each)).status).toBe('cancelled')
    }
    expect(queued.plan.calls).toEqual([])
  })

  it('between two tries: nobody is asked again', async () => {
    const asked = await ask('anthropic', { status: 503, headers: { 'retry-after': '20' } })
    await (await asked.plan.call(0)).closed
    cancel(asked)
    expect(await ended(asked)).toMatchObject({ status: 'cancelled', text: '', attempt: 1 })
    expect(asked.plan.calls).toHaveLength(1)
  })

  it('and after all of that each was ended once, and nothing came behind its end', async () => {
    const [one, other] = [asks, stops].map(({ frames }) => endsOf(frames))
    expect(one?.size).toBeGreaterThan(VENDOR_NAMES.length * STAGES.length)
    expect(new Set(other?.keys())).toEqual(new Set(one?.keys()))
    expect(scene.placesTaken()).toBe(0)
  })
})
