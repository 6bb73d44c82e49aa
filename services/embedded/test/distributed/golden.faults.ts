import { VENDORS } from '@chatbox/testkit/providers'
import { available, type RunningServer, startRedis } from '@chatbox/testkit/servers'
import { shownTexts, textMark, type WireClient } from '@chatbox/testkit/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ANSWERS_WORDS, type GoldenCase, type GoldenEnd, PATIENCE, QUICK, VENDORS_WORDS } from './golden.ts'
import { endsOf, sayUntilTaken } from './system.ts'
import { KEY, startVendors, VENDOR_NAMES, type VendorName, type VendorScene } from './vendors.ts'

const there = await available('redis')

/** What a full machine may take besides the limits, which are those that everybody has. */
const SPARE_MS = 60_000
const SOON = { timeout: 10_000 }
/** Users whose questions are answered side by side, and sessions that each of them asks at once. */
const USERS = 6
const SESSIONS = 4
const QUESTIONS_WORDS = 'words-of-the-question-5e0a'

/** What is left of a question, seen from both devices, the database and the vendor. */
interface Left {
  readonly stored: object
  readonly texts: readonly (string | undefined)[]
  readonly marks: readonly object[]
  readonly storedText: string
  readonly tookMs: number
  readonly calls: number
}

const named = (cases: readonly GoldenCase[]) => cases.map((each) => [each.name, each] as const)

type Devices = readonly [WireClient, WireClient]

describe.skipIf(!there)('from a vendor to two devices on two edges', { timeout: 2 * SPARE_MS }, () => {
  let redis: RunningServer
  let scene: VendorScene
  const devices: WireClient[] = []

  beforeAll(async () => {
    redis = await startRedis()
    scene = await startVendors({
      redisUrl: redis.url,
      clockScale: 1,
      workerTimes: { retryMs: 100 },
      // Breakers have their own tests; here they would make cases of each other.
      models: { failures: Number.MAX_SAFE_INTEGER },
    })
    const silent = await pairs('patient')
    for (const vendor of VENDOR_NAMES) askAll(vendor, PATIENCE, silent)
  })
  afterAll(async () => {
    await scene?.stop()
    await redis?.stop()
  })

  async function pair(user: string): Promise<Devices> {
    const both = await scene.pair(user)
    devices.push(...both)
    return both
  }

  const pairs = (name: string) => Promise.all(Array.from({ length: USERS }, (_, i) => pair(`${name}-${i}`)))

  let questions = 0

  async function answered([one, other]: Devices, text: string, more: { sid?: string; modelId: string }) {
    const { sid, answer } = await sayUntilTaken(one, text, more)
    questions += 1
    const isIt = (frame: { answerId: string }) => frame.answerId === answer?.answerId
    const done = await Promise.all([one, other].map((device) => device.waitFor('answer.done', isIt)))
    const texts = [one, other].map(({ frames }) => shownTexts(frames).get(answer?.answerId ?? '')?.text ?? '')
    return { sid, done, texts }
  }

  async function ask(vendor: VendorName, { scripts }: GoldenCase, both: Devices): Promise<Left> {
    const plan = scene.plan(...scripts(VENDORS[vendor].frames))
    const began = performance.now()
    const { sid, done, texts } = await answered(both, `${QUESTIONS_WORDS} ${plan.mark}`, { modelId: vendor })
    const tookMs = performance.now() - began
    const { turns } = await scene.system.stored(sid)
    const [turn] = turns
    if (!turn?.answer) throw new Error('there is no answer')
    const { status, error, text: storedText = '', attempt, usage, modelId } = turn.answer
    const marks = done.map(({ length, hash }) => ({ length, hash }))
    return {
      stored: { status, error, attempt, usage, modelId },
      ...{ storedText, texts, marks, tookMs, calls: plan.calls.length },
    }
  }

  const asked = new Map<string, Promise<Left>>()

  /** In so many sessions at once, as users ask; more would have to wait, with their clocks running, for each other. */
  function askAll(vendor: VendorName, cases: readonly GoldenCase[], users: readonly Devices[]): void {
    const lanes = Array.from({ length: SESSIONS }, () => users).flat()
    const free: Promise<unknown>[] = lanes.map(() => Promise.resolve())
    for (const [i, each] of cases.entries()) {
      const lane = i % lanes.length
      const both = lanes[lane]
      if (!both) throw new Error('there is nobody to ask')
      const left = Promise.resolve(free[lane]).then(() => ask(vendor, each, both))
      // Whoever waits for it is told.
      free[lane] = left.catch(() => undefined)
      asked.set(`${vendor} ${each.name}`, left)
    }
  }

  async function expectLeft(vendor: VendorName, name: string, ends: GoldenEnd): Promise<void> {
    const left = await asked.get(`${vendor} ${name}`)
    if (!left) throw new Error('nobody has asked this')
    const { status, error, attempt, text, usage, calls, limitMs = 0 } = ends
    expect(left.stored).toMatchObject({ status, attempt, modelId: vendor })
    expect(left.stored).toHaveProperty('error', error)
    if (usage) expect(left.stored).toHaveProperty('usage', { ...usage, estimated: false })
    expect(left.calls).toBe(calls)
    expect(left.tookMs).toBeGreaterThanOrEqual(limitMs)
    expect(left.tookMs).toBeLessThan(limitMs + SPARE_MS)
    // Not by toEqual, which would print 100 KB.
    expect(left.storedText === text, `stored: ${left.storedText.slice(0, 100)}`).toBe(true)
    expect(left.texts.map((shown) => shown === left.storedText)).toEqual([true, true])
    expect(left.marks).toEqual([textMark(text), textMark(text)])
  }

  describe.each(VENDOR_NAMES)('%s', (vendor) => {
    beforeAll(async () => askAll(vendor, QUICK, await pairs(vendor)))

    it.each(named(QUICK))('%s', (name, { ends }) => expectLeft(vendor, name, ends))

    it('hears a history of thirty turns in its order, each text under its role', async () => {
      const both = await pair(`${vendor}-history`)
      const lines: { role: string; text: string }[] = []
      let sid: string | undefined
      for (let turn = 1; turn <= 30; turn += 1) {
        const reply = `reply ${turn}: “${'é🙂'.repeat(turn % 5)}”\nand more of it`
        const plan = scene.plan({ steps: [{ say: reply }, { end: 'stop' }] })
        const question = { role: 'user', text: `question ${turn}: ${plan.mark}` }
        // An app that knows the conversation is asked the question alone; without it, it needs to hear all of it again.
        const alone = vendor === 'dify' && turn < 30
        if (vendor === 'dify' && turn === 30) scene.fakes.dify.loseConversations()
        const { texts, ...told } = await answered(both, question.text, { modelId: vendor, ...(sid && { sid }) })
        sid = told.sid
        expect(texts).toEqual([reply, reply])
        const { messages } = VENDORS[vendor].heard(await plan.call(0))
        expect(messages).toEqual(alone ? [question] : [...lines, question])
        lines.push(question, { role: 'assistant', text: reply })
      }
    })
  })

  describe.each(VENDOR_NAMES)('%s, when its time is up', (vendor) => {
    it.each(named(PATIENCE))('%s', (name, { ends }) => expectLeft(vendor, name, ends))
  })

  describe('when all of that is over', () => {
    it('each answer has one end on each device, and nothing came behind it', async () => {
      await Promise.allSettled(asked.values())
      expect(devices.map(({ end }) => end)).toEqual(devices.map(() => undefined))
      const ends = devices.map(({ frames }) => endsOf(frames).size)
      expect(ends.reduce((sum, size) => sum + size, 0)).toBe(2 * questions)
    })

    it('no slot, no place and no request is taken any more', async () => {
      const active = async () => /^chatbox_worker_answers_active (\S+)$/m.exec(await scene.metrics.text())?.[1]
      await expect.poll(active, SOON).toBe('0')
      expect(scene.placesTaken()).toBe(0)
      await Promise.all(Object.values(scene.fakes).flatMap(({ calls }) => calls.map(({ closed }) => closed)))
      await expect.poll(() => scene.system.fabric.jobs.depth(), SOON).toEqual({ waiting: 0, active: 0 })
    })

    it('nobody was told a key or the words of a vendor, nor the log a key or what anybody said (X4)', async () => {
      const frames = devices.map((device) => JSON.stringify(device.frames)).join('\n')
      const logs = scene.logs()
      const places = { frames, logs, metrics: await scene.metrics.text() }
      const found = (words: string) =>
        Object.entries(places).flatMap(([place, text]) => (text.includes(words) ? [place] : []))
      // Each of them is looked for where it is to be found.
      expect(scene.fakes.anthropic.calls.every(({ headers }) => headers['x-api-key'] === KEY)).toBe(true)
      expect(found(KEY)).toEqual([])
      expect(found(VENDORS_WORDS)).toEqual(['logs'])
      expect(found(ANSWERS_WORDS)).toEqual(['frames'])
      expect(found(QUESTIONS_WORDS)).toEqual(['frames'])
      // Of a long one, 500 characters.
      expect(logs).toContain('and so on '.repeat(20))
      expect(logs).not.toContain('and so on '.repeat(51))
    })
  })
})
