import type { BusListener, EventPacket, Position } from '@chatbox/core'
import type { ServerFrame } from '@chatbox/protocol'
import { shownTexts, textMark, type WireClient } from '@chatbox/testkit/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { echo, type OpenEdge, openEdge, tokenOf, until } from './support/open-edge.ts'
import type { Writing } from './support/storage.ts'

const at = (client: WireClient): string | undefined =>
  client.frames.findLast((frame): frame is ServerFrame & { at: string } => 'at' in frame && frame.at !== undefined)?.at

const texts = (client: WireClient) => client.frames.flatMap((frame) => (frame.type === 'message' ? [frame.text] : []))
const readies = (client: WireClient) => client.frames.filter((frame) => frame.type === 'ready')

describe('coming back (P4)', () => {
  it('gets every missed event in order, then the open answers, then what is new', async () => {
    const { device, storage } = await openEdge()
    const first = await device('ada', 'd-1')
    await storage.say('ada', 'one')
    const writing = await storage.ask('ada')
    await writing.write('so ')
    await first.waitFor('answer.delta')
    first.cut()
    await writing.write('far ')
    await storage.say('ada', 'two', { sid: 'sid-2' })
    await storage.say('ada', 'three', { sid: 'sid-2' })

    const second = await device('ada', 'd-1', at(first))
    expect(readies(second)).toMatchObject([{ recovered: true, at: at(first) }])
    await second.waitFor('answer.snapshot')
    await writing.write('so good')
    await writing.done()
    await second.waitFor('answer.done')
    expect(second.frames.map(({ type }) => type)).toEqual([
      'ready',
      'message',
      'message',
      'answer.snapshot',
      'answer.delta',
      'answer.done',
    ])
    expect(texts(second)).toEqual(['two', 'three'])
    expect(shownTexts(second.frames).get(writing.ref.answerId)?.text).toBe('so far so good')
  })

  it('gets nothing twice when nothing was missed', async () => {
    const { device, storage } = await openEdge()
    const first = await device('ada')
    await storage.say('ada', 'one')
    await first.waitFor('message')
    const second = await device('ada', 'd-2', at(first))
    await storage.say('ada', 'two')
    await second.waitFor('message')
    expect(readies(second)).toMatchObject([{ recovered: true, at: at(first) }])
    expect(texts(second)).toEqual(['two'])
  })

  it.each([
    ['nonsense', 'nonsense'],
    ['nothing', ''],
    ['a position of another log', 'bG9n.cnVu.5'],
    ['a hostile one', '__proto__.constructor.zzzzzzzzzzz'],
    ['the longest', 'x'.repeat(200)],
  ])('says that it cannot go on from %s', async (_what, resume) => {
    const { device, storage } = await openEdge({ times: { spreadMs: 700 } })
    await storage.say('ada', 'one')
    const client = await device('ada', 'd-1', resume)
    const [ready] = readies(client)
    expect(ready).toMatchObject({ recovered: false })
    expect(ready?.reloadAfterMs).toBeLessThanOrEqual(700)
    await storage.say('ada', 'two')
    await client.waitFor('message')
    expect(texts(client)).toEqual(['two'])
  })

  it('cannot go on from a position ahead of the log, nor from that of another user', async () => {
    const { device, storage } = await openEdge()
    const bob = await device('bob')
    await storage.say('ada', 'one')
    const ada = await device('ada')
    const own = at(ada) ?? ''
    const ahead = own.replace(/[^.]*$/, 'zzz')
    expect(readies(await device('ada', 'x', ahead))).toMatchObject([{ recovered: false }])
    expect(readies(await device('ada', 'y', at(bob)))).toMatchObject([{ recovered: false }])
  })

  it('says so when the log does not reach back that far', async () => {
    const { device, storage } = await openEdge({ memory: { bounds: { logEvents: 5 } } })
    const first = await device('ada')
    const start = at(first)
    for (let i = 0; i < 6; i++) await storage.say('ada', `${i}`)
    expect(readies(await device('ada', 'x', start))).toMatchObject([{ recovered: false }])
    await first.waitFor('message', ({ text }) => text === '0')
    const after0 = first.frames.find((frame) => frame.type === 'message')?.at
    const second = await device('ada', 'y', after0)
    await second.waitFor('message', ({ text }) => text === '5')
    expect(texts(second)).toEqual(['1', '2', '3', '4', '5'])
  })

  it('loads again when more was missed than is kept for one device', async () => {
    const { device, storage } = await openEdge({ outbox: { missedBytes: 10_000 } })
    const first = await device('ada')
    const start = at(first)
    for (let i = 0; i < 3; i++) await storage.say('ada', 'x'.repeat(5_000))
    await first.waitFor('message')
    expect(readies(await device('ada', 'x', start))).toMatchObject([{ recovered: false }])
    expect(readies(await device('ada', 'y', at(first)))).toMatchObject([{ recovered: true }])
  })

  it('gets more than a socket may hold at once, as fast as it takes it', async () => {
    const { device, storage, metric } = await openEdge({
      outbox: { softBytes: 16_384, hardBytes: 65_536, missedBytes: 16_777_216 },
    })
    const first = await device('ada')
    const start = at(first)
    await first.close()
    for (let i = 0; i < 600; i++) await storage.say('ada', `${i} ${'x'.repeat(9_000)}`)
    const second = await device('ada', 'd-2', start)
    await storage.say('ada', 'live')
    await second.waitFor('message', ({ text }) => text === 'live')
    expect(texts(second).map((text) => text.split(' ')[0])).toEqual([
      ...Array.from({ length: 600 }, (_, i) => `${i}`),
      'live',
    ])
    expect(await metric('edge_closed_total', '{reason="slow_consumer"}')).toBe(0)
  })

  it('misses nothing that is said while it catches up, and gets nothing of it twice', async () => {
    const { device, storage, tamper, connect } = await openEdge()
    const first = await device('ada')
    const start = at(first)
    await storage.say('ada', 'before')
    const snapshot = tamper.stop('answers', 'snapshot')
    const second = await connect()
    second.send({ type: 'hello', token: await tokenOf('ada'), deviceId: 'd-2', ...(start && { resume: start }) })
    await snapshot.reached
    await storage.say('ada', 'meanwhile')
    await first.waitFor('message', ({ text }) => text === 'meanwhile')
    snapshot.goOn()
    await storage.say('ada', 'after')
    await second.waitFor('message', ({ text }) => text === 'after')
    expect(texts(second)).toEqual(['before', 'meanwhile', 'after'])
  })

  it('does not get what was said before the position that ready names', async () => {
    const { device, storage, tamper, connect } = await openEdge()
    const first = await device('ada')
    const snapshot = tamper.stop('answers', 'snapshot')
    const second = await connect()
    second.send({ type: 'hello', token: await tokenOf('ada'), deviceId: 'd-2' })
    await snapshot.reached
    await storage.say('ada', 'meanwhile')
    await first.waitFor('message')
    snapshot.goOn()
    const ready = await second.waitFor('ready')
    expect(ready.at).toBe(at(first))
    await storage.say('ada', 'after')
    await second.waitFor('message')
    expect(texts(second)).toEqual(['after'])
  })
})

describe('an answer that ends while a snapshot of it is under way (R21)', () => {
  it('is not brought back', async () => {
    const { device, storage, tamper, connect } = await openEdge()
    const [watcher, writing] = [await device('ada'), await storage.ask('ada')]
    await writing.write('said')
    let goOn = (): void => undefined
    const held = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const taken = new Promise<void>((resolve) => {
      tamper.on('answers', 'snapshot', async (proceed) => {
        const snapshot = await proceed()
        resolve()
        await held
        return snapshot
      })
    })
    const late = await connect()
    late.send({ type: 'hello', token: await tokenOf('ada'), deviceId: 'd-2' })
    await taken
    await writing.done()
    await watcher.waitFor('answer.done')
    goOn()
    await late.waitFor('answer.done')
    await echo(late)
    expect(late.frames.some(({ type }) => type === 'answer.snapshot')).toBe(false)
  })
})

describe('a link that was cut', () => {
  it('is told by another ready with recovered false, and what comes then is there', async () => {
    const { device, storage, memory, metric } = await openEdge()
    const clients = [await device('ada', 'd-1'), await device('ada', 'd-2'), await device('bob')]
    await storage.say('ada', 'before')
    for (const client of clients.slice(0, 2)) await client.waitFor('message')
    memory.empty('realtime')
    for (const client of clients) {
      const ready = await client.waitFor('ready', undefined, 1)
      expect(ready).toMatchObject({ recovered: false, reloadAfterMs: expect.any(Number) })
    }
    await storage.say('ada', 'after')
    for (const client of clients.slice(0, 2)) {
      await client.waitFor('message', ({ text }) => text === 'after')
      expect(client.frames.findLast(({ type }) => type === 'ready')).toMatchObject({ recovered: false })
    }
    expect(await metric('edge_unrecovered_total', '{occasion="gap"}')).toBe(3)
  })

  it('whose log has everything costs nobody anything', async () => {
    const { device, storage, tamper } = await openEdge()
    let gap = (): void => undefined
    tamper.on('bus', 'subscribe', (proceed, _uid, listener) => {
      gap = (listener as BusListener).gap
      return proceed()
    })
    const client = await device('ada')
    await storage.say('ada', 'one')
    gap()
    await storage.say('ada', 'two')
    gap()
    gap()
    await storage.say('ada', 'three')
    await client.waitFor('message', ({ text }) => text === 'three')
    await echo(client)
    expect(texts(client)).toEqual(['one', 'two', 'three'])
    expect(readies(client)).toHaveLength(1)
  })

  it('brings the open answers as a whole, because deltas may be missing', async () => {
    const { device, storage, tamper } = await openEdge()
    const link = { deaf: false, gap: (): void => undefined }
    tamper.on('bus', 'subscribe', (proceed, _uid, listener) => {
      const listening = listener as BusListener
      const { event, gap } = listening
      link.gap = gap
      Object.assign(listening, { event: (...told: Parameters<typeof event>) => !link.deaf && event(...told) })
      return proceed()
    })
    const client = await device('ada')
    const writing = await storage.ask('ada')
    await writing.write('heard, ')
    await client.waitFor('answer.delta')
    link.deaf = true
    await writing.write('not heard, ')
    await storage.say('ada', 'not heard either', { sid: 'sid-2' })
    await new Promise((resolve) => setImmediate(resolve))
    link.deaf = false
    link.gap()
    await client.waitFor('answer.snapshot')
    await writing.write('heard again')
    await client.waitFor('answer.delta', ({ text }) => text === 'heard again')
    expect(texts(client)).toEqual([`question ${writing.ref.answerId}`, 'not heard either'])
    expect(shownTexts(client.frames).get(writing.ref.answerId)?.text).toBe('heard, not heard, heard again')
    expect(readies(client)).toHaveLength(1)
  })

  it('is noticed by a jump in the log even if nobody says so', async () => {
    const { device, storage, tamper } = await openEdge()
    let dropped = false
    tamper.on('bus', 'subscribe', (proceed, _uid, listener) => {
      const listening = listener as BusListener
      const { event } = listening
      Object.assign(listening, {
        event(packet: EventPacket, position: Position | undefined) {
          if (position && !dropped) dropped = true
          else event(packet, position)
        },
      })
      return proceed()
    })
    const client = await device('ada')
    for (const text of ['one', 'two', 'three']) await storage.say('ada', text)
    await client.waitFor('message', ({ text }) => text === 'three')
    await echo(client)
    expect(dropped).toBe(true)
    expect(texts(client)).toEqual(['one', 'two', 'three'])
  })
})

/** A device that comes and goes, and keeps what it saw in the order in which it saw it. */
class Wanderer {
  readonly seen: ServerFrame[] = []
  private client: WireClient | undefined
  private taken = 0
  private readonly open: OpenEdge
  /** Also its device's. */
  readonly name: string

  constructor(open: OpenEdge, name: string) {
    this.open = open
    this.name = name
  }

  /** What came since the last look. */
  private look(): void {
    if (!this.client) return
    this.seen.push(...this.client.frames.slice(this.taken))
    this.taken = this.client.frames.length
  }

  /** Does not wait until it is ready. */
  async come(): Promise<void> {
    if (this.client) return
    const resume = this.position()
    this.client = await this.open.connect()
    this.taken = 0
    this.client.send({
      type: 'hello',
      token: await tokenOf(this.name),
      deviceId: this.name,
      ...(resume !== undefined && { resume }),
    })
  }

  async go(): Promise<void> {
    const leaving = this.client
    if (!leaving) return
    leaving.cut()
    await leaving.closed()
    this.look()
    this.client = undefined
  }

  /** Says something again and again until it comes: what is said while a loss is being told need not come. */
  async hearsEnd(round: string): Promise<string[]> {
    const { client } = this
    if (!client) throw new Error('nobody listens')
    await client.waitFor('ready')
    const said: string[] = []
    for (;;) {
      const text = `${round}/end ${said.length}`
      said.push(`message ${text}`)
      await this.open.storage.say(this.name, text)
      const came = () => client.frames.some((frame) => frame.type === 'message' && frame.text === text)
      if (
        await until(came, 'it came', 500).then(
          () => true,
          () => false,
        )
      )
        break
    }
    await echo(client)
    this.look()
    return said
  }

  private position(): string | undefined {
    return this.seen.findLast((frame): frame is ServerFrame & { at: string } => 'at' in frame && frame.at !== undefined)
      ?.at
  }
}

type Step =
  | { do: 'say' | 'come' | 'go' | 'pause' | 'lose' }
  | { do: 'ask' | 'write' | 'restart' | 'done'; which: number }

const step = (losing: boolean): fc.Arbitrary<Step> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Step>({ do: 'say' }) },
    { weight: 3, arbitrary: fc.constantFrom<Step>({ do: 'come' }, { do: 'go' }) },
    { weight: 2, arbitrary: fc.constant<Step>({ do: 'pause' }) },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constantFrom('ask' as const, 'write' as const, 'write' as const, 'restart' as const, 'done' as const),
        which: fc.nat(2),
      }),
    },
    ...(losing ? [{ weight: 1, arbitrary: fc.constant<Step>({ do: 'lose' }) }] : []),
  )

/** Plays the steps without waiting for the device, then waits until it has seen the end. */
async function play(open: OpenEdge, user: Wanderer, steps: readonly Step[], round: string) {
  const logged: string[] = []
  const writings: (Writing | undefined)[] = []
  let said = 0
  for (const { do: what, ...rest } of steps) {
    const which = 'which' in rest ? rest.which : 0
    const writing = writings[which]
    if (what === 'say') {
      const text = `${round}/${said++}`
      logged.push(`message ${text}`)
      await open.storage.say(user.name, text)
    } else if (what === 'come') await user.come()
    else if (what === 'go') await user.go()
    else if (what === 'pause') await new Promise((resolve) => setTimeout(resolve, 3))
    else if (what === 'lose') {
      open.memory.empty('realtime')
      for (const lost of writings) await lost?.restart()
    } else if (what === 'ask' && !writing) {
      const fresh = await open.storage.ask(user.name, `${round}-${which}`)
      writings[which] = fresh
      const { answerId } = fresh.ref
      logged.push(`message question ${answerId}`, `answer.started ${answerId}`)
    } else if (what === 'write') await writing?.write(`${round} ${said++} `)
    else if (what === 'restart') await writing?.restart()
    else if (what === 'done' && writing) {
      logged.push(`answer.done ${writing.ref.answerId}`)
      writings[which] = undefined
      await writing.done()
    }
  }
  await user.come()
  logged.push(...(await user.hearsEnd(round)))
  return { logged, writings }
}

const loggedKey = (frame: ServerFrame): string | undefined => {
  if (frame.type === 'message') return `message ${frame.text}`
  if (frame.type === 'answer.started' || frame.type === 'answer.done') return `${frame.type} ${frame.answerId}`
  return undefined
}

describe('whatever happens while a device comes and goes', () => {
  it('it gets exactly what it missed, in order, nothing twice, and shows the accepted text', {
    timeout: 100_000,
  }, async () => {
    const open = await openEdge()
    let round = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step(false), { maxLength: 40 }), async (steps) => {
        round += 1
        const user = new Wanderer(open, `user-${round}`)
        await user.come()
        await user.hearsEnd(`r${round}/first`)
        const from = user.seen.length
        const { logged, writings } = await play(open, user, steps, `r${round}`)
        const seen = user.seen.slice(from)
        expect(seen.flatMap((frame) => loggedKey(frame) ?? [])).toEqual(logged)
        for (const frame of seen) if (frame.type === 'ready') expect(frame.recovered).toBe(true)
        const shown = shownTexts(user.seen)
        for (const writing of writings) {
          if (writing) expect(shown.get(writing.ref.answerId)?.text ?? '').toBe(writing.text)
        }
        await user.go()
        for (const writing of writings) await writing?.done()
      }),
      { numRuns: 60 },
    )
  })

  it('a lost store is told, never passed over in silence', { timeout: 100_000 }, async () => {
    const open = await openEdge({ times: { renewMs: 50, spreadMs: 1 } })
    let round = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step(true), { minLength: 5, maxLength: 40 }), async (steps) => {
        round += 1
        const user = new Wanderer(open, `user-${round}`)
        await user.come()
        await user.hearsEnd(`r${round}/first`)
        const from = user.seen.length
        const { logged, writings } = await play(open, user, steps, `r${round}`)

        expectTold(user.seen.slice(from), logged)
        const shown = shownTexts(user.seen)
        for (const writing of writings) {
          if (writing) expect(shown.get(writing.ref.answerId)?.text ?? '').toBe(writing.text)
        }
        await user.go()
        for (const writing of writings) await writing?.done()
      }),
      { numRuns: 60 },
    )
  })
})

/** Everything in order; where something is missing, a ready has said so before what follows. */
function expectTold(seen: readonly ServerFrame[], logged: readonly string[]): void {
  let next = 0
  let doubt = false
  for (const frame of seen) {
    if (frame.type === 'ready' && !frame.recovered) doubt = true
    const key = loggedKey(frame)
    if (key === undefined) continue
    const found = logged.indexOf(key, next)
    expect(found, `${key} came twice or out of order`).toBeGreaterThanOrEqual(next)
    if (found > next) expect(doubt, `missing without a word: ${logged.slice(next, found)}`).toBe(true)
    next = found + 1
    doubt = false
  }
  expect(next).toBe(logged.length)
}

it('a finished answer has on every device the text that its end says', async () => {
  const open = await openEdge()
  const [early, late] = [await open.device('ada'), await open.device('ada')]
  const writing = await open.storage.ask('ada')
  for (let i = 0; i < 30; i++) await writing.write(`${i} ünd so weiter 🚀 `)
  const joined = await open.device('ada')
  for (let i = 0; i < 30; i++) await writing.write(`${i} `)
  await writing.done()
  for (const client of [early, late, joined]) {
    const { length, hash } = await client.waitFor('answer.done')
    expect(textMark(shownTexts(client.frames).get(writing.ref.answerId)?.text ?? '')).toEqual({ length, hash })
  }
})
