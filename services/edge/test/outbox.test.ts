import { answerId, type EventHeader } from '@chatbox/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Outgoing, outbox } from '../src/outbox.ts'

const LIMITS = { softBytes: 100, hardBytes: 1_000, heldBytes: 500, missedBytes: 10_000 }

/** A peer that takes as much as the test says. */
function peer(limits = LIMITS) {
  const sent: string[] = []
  let buffered = 0
  let most = 0
  const told: string[] = []
  const out = outbox(
    {
      send(frame) {
        sent.push(Buffer.from(frame).toString().split(' ')[0] ?? '')
        buffered += frame.byteLength
        most = Math.max(most, buffered)
        return buffered > 0 ? 'buffered' : 'sent'
      },
      buffered: () => buffered,
      close: () => undefined,
    },
    limits,
    {
      repair() {
        told.push('repair')
        out.hold()
      },
      overwhelmed: () => void told.push('overwhelmed'),
    },
  )
  return {
    out,
    sent,
    told,
    get most() {
      return most
    },
    takes(bytes = Number.POSITIVE_INFINITY) {
      buffered = Math.max(0, buffered - bytes)
      out.drained()
    },
  }
}

const bytes = (name: string, size: number) => Buffer.from(`${name} `.padEnd(size, '.'))
const event = (name: string, size: number, header: Partial<EventHeader> = {}, offset?: number): Outgoing => ({
  header: { class: 'logged', type: 'message', ...header },
  frame: bytes(name, size),
  ...(offset !== undefined && { position: { log: 'l', run: 'r', offset } }),
})
const delta = (name: string, size: number, answer = 'a'): Outgoing =>
  event(name, size, { class: 'delta', type: 'answer.delta', answerId: answerId(answer) })
const done = (answer = 'a'): Outgoing => event('done', 10, { type: 'answer.done', answerId: answerId(answer) })
const never = () => false

describe('a peer that is slow (P10)', () => {
  it('gets no deltas above the soft mark, but everything else', () => {
    const { out, sent, told } = peer()
    out.deliver(event('m1', 101))
    out.deliver(delta('d1', 10))
    out.deliver(event('m2', 10))
    expect(sent).toEqual(['m1', 'm2'])
    expect(told).toEqual([])
  })

  it('gets no later delta of an answer of which it missed one, and a snapshot once there is room', () => {
    const { out, sent, told, takes } = peer()
    out.deliver(event('m1', 101))
    out.deliver(delta('d1', 10))
    takes(45)
    out.deliver(delta('d2', 10))
    out.deliver(delta('other', 10, 'b'))
    expect(sent).toEqual(['m1', 'other'])
    takes()
    expect(told).toEqual(['repair'])
    out.deliver(delta('d3', 10))
    out.release([bytes('snapshot', 10)], never)
    out.deliver(delta('d4', 10))
    expect(sent).toEqual(['m1', 'other', 'snapshot', 'd3', 'd4'])
  })

  it('needs no snapshot of an answer that has ended', () => {
    const { out, sent, told, takes } = peer()
    out.deliver(event('m1', 101))
    out.deliver(delta('d1', 10))
    out.deliver(done())
    takes()
    expect(sent).toEqual(['m1', 'done'])
    expect(told).toEqual([])
  })

  it('is given up above the hard mark, and is sent nothing afterwards', () => {
    const { out, sent, told, takes } = peer()
    for (let i = 0; i < 12; i++) out.deliver(event(`m${i}`, 100))
    expect(told).toEqual(['overwhelmed'])
    expect(sent).toHaveLength(11)
    takes()
    out.send(bytes('x', 1))
    out.hold()
    out.release([bytes('y', 1)], never)
    expect(sent).toHaveLength(11)
    expect(told).toEqual(['overwhelmed'])
  })

  it('is given up when the transport has dropped a frame', () => {
    const told: string[] = []
    const out = outbox({ send: () => 'dropped', buffered: () => 0, close: () => undefined }, LIMITS, {
      repair: () => undefined,
      overwhelmed: () => void told.push('overwhelmed'),
    })
    out.send(bytes('m', 1))
    out.send(bytes('m', 1))
    expect(told).toEqual(['overwhelmed'])
  })
})

describe('while something older is sent first', () => {
  it('events wait, and those that are covered are left out', () => {
    const { out, sent } = peer()
    out.hold()
    out.deliver(event('m1', 10, {}, 1))
    out.deliver(event('m2', 10, {}, 2))
    out.deliver(delta('d', 10))
    expect(sent).toEqual([])
    out.release([bytes('ready', 10)], ({ position }) => position?.offset === 1)
    expect(sent).toEqual(['ready', 'm2', 'd'])
    expect(out.holding).toBe(false)
  })

  it('no more is put into the socket than the peer takes, and the order stays', () => {
    const one = peer()
    const { out, sent, takes } = one
    out.hold()
    out.release(
      Array.from({ length: 50 }, (_, i) => bytes(`old${i}`, 60)),
      never,
    )
    out.deliver(event('new', 10))
    expect(sent.length).toBeLessThan(4)
    expect(out.holding).toBe(true)
    for (let i = 0; i < 100; i++) takes(60)
    expect(sent).toEqual([...Array.from({ length: 50 }, (_, i) => `old${i}`), 'new'])
    expect(one.most).toBeLessThan(LIMITS.softBytes + 120)
    expect(out.holding).toBe(false)
  })

  it('deltas beyond the soft mark are left out, and made up for by a snapshot', () => {
    const { out, sent, told } = peer()
    out.hold()
    for (let i = 0; i < 100; i++) out.deliver(delta(`d${i}`, 10))
    out.deliver(event('m', 10))
    out.release([], never)
    expect(sent).toEqual(['m'])
    expect(told).toEqual(['repair'])
  })

  it('it is given up when more waits than may', () => {
    const { out, told } = peer()
    out.hold()
    for (let i = 0; i < 6; i++) out.deliver(event(`m${i}`, 100))
    expect(told).toEqual(['overwhelmed'])
  })

  it('a gap on the way here is made up for afterwards, even if nothing was skipped here', () => {
    const { out, told } = peer()
    out.hold()
    out.missed()
    expect(told).toEqual([])
    out.release([bytes('ready', 10)], never)
    expect(told).toEqual(['repair'])
  })
})

it('a gap on the way here is made up for as soon as there is room', () => {
  const { out, told, takes } = peer()
  out.deliver(event('m', 200))
  out.missed()
  expect(told).toEqual([])
  takes()
  expect(told).toEqual(['repair'])
})

type Step = { do: 'message' | 'delta' | 'done' | 'takes' | 'snapshot' | 'missed'; size: number; answer: string }

describe('whatever comes, in whatever order', () => {
  const steps = fc.array(
    fc.record<Step>({
      do: fc.constantFrom('message', 'delta', 'delta', 'delta', 'done', 'takes', 'takes', 'snapshot', 'missed'),
      size: fc.integer({ min: 10, max: 150 }),
      answer: fc.constantFrom('a', 'b', 'c'),
    }),
    { maxLength: 200 },
  )

  it('what is buffered is bounded, no message is dropped while it lives, and missed deltas are made up for', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const one = peer()
        const { out, sent, told, takes } = one
        const messages: string[] = []
        /** Per answer, what a snapshot would hold, and what the peer has. */
        const accepted = new Map<string, number>()
        /** An answer that is done never goes on; the next one has an id of its own. */
        const ended = new Map<string, number>()
        let n = 0
        const answerRepairs = () => {
          if (!out.holding) return
          const frames = [...accepted].map(([answer, next]) => bytes(`snapshot:${answer}:${next}`, 20))
          out.release(frames, never)
        }
        for (const { do: what, size, answer: slot } of all) {
          const answer = `${slot}${ended.get(slot) ?? 0}`
          if (what === 'message') {
            messages.push(`m${++n}`)
            out.deliver(event(`m${n}`, size))
          } else if (what === 'delta') {
            const index = accepted.get(answer) ?? 0
            accepted.set(answer, index + 1)
            out.deliver(delta(`delta:${answer}:${index}`, size, answer))
          } else if (what === 'done') {
            accepted.delete(answer)
            ended.set(slot, (ended.get(slot) ?? 0) + 1)
            out.deliver(done(answer))
          } else if (what === 'takes') takes(size)
          else if (what === 'snapshot') answerRepairs()
          else out.missed()
        }
        expect(one.most).toBeLessThanOrEqual(LIMITS.hardBytes + 150)
        if (told.includes('overwhelmed')) return
        for (let i = 0; i < 50; i++) {
          takes()
          answerRepairs()
        }
        expect(sent.filter((name) => /^m\d/.test(name))).toEqual(messages)
        for (const [answer, next] of accepted) expect(shownNext(sent, answer)).toBe(next)
      }),
      { numRuns: 500 },
    )
  })
})

/** Where a client that takes only what follows has got to. */
function shownNext(sent: readonly string[], answer: string): number {
  let next = 0
  for (const name of sent) {
    const [kind, of, index] = name.split(':')
    if (of !== answer) continue
    if (kind === 'delta' && Number(index) === next) next += 1
    if (kind === 'snapshot') next = Math.max(next, Number(index))
  }
  return next
}
