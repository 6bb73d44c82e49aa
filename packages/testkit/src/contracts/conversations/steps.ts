import { type AnswerNotice, answerNotices } from '@chatbox/protocol'
import fc from 'fast-check'

/** One call of a sequence. The numbers choose among what is there when its turn comes. */
export type Step =
  | { readonly kind: 'create'; readonly session: number; readonly user: number; readonly lastActivity: number }
  | {
      readonly kind: 'change'
      readonly session: number
      /** Of those who read an older row. */
      readonly stale: boolean
      readonly lastActivity: number
      readonly name: string | null
      readonly preview: string | null
      readonly shared?: boolean
      readonly erased: boolean
    }
  | {
      readonly kind: 'insert'
      readonly session: number
      /** Where a row is already. */
      readonly taken: boolean
      readonly asks: boolean
      readonly author: number
      readonly cmid?: number
      readonly ts: number
      readonly content: string
    }
  | {
      readonly kind: 'begin'
      readonly answer: number
      readonly off: number
      readonly cause: 'fresh' | 'fault' | 'gone'
    }
  | {
      readonly kind: 'end'
      readonly answer: number
      readonly attempt: 'any' | 'known' | 'other'
      readonly status: 'done' | 'failed' | 'cancelled'
      readonly tokens?: number
      readonly cost?: number
      readonly notices?: AnswerNotice[]
      readonly text: string
      readonly thread?: string
      readonly endedAt: number
    }
  | {
      readonly kind: 'pending'
      readonly answer: number
      readonly off: number
      readonly change: {
        readonly due?: number
        readonly cancelAt?: number
        readonly handbacks?: number
        readonly n?: number
      }
    }
  | { readonly kind: 'supersede'; readonly answer: number }
  | {
      readonly kind: 'rate'
      readonly answer: number
      readonly feedback: { readonly rating: 'up' | 'down'; readonly ts: number; readonly comment?: string } | undefined
    }
  | {
      readonly kind: 'settle'
      readonly answer: number
      /** As one that is answered by nobody. */
      readonly asLine: boolean
    }
  | { readonly kind: 'settle-line'; readonly session: number; readonly seq: number }
  | { readonly kind: 'forget'; readonly user: number }
  | { readonly kind: 'erase'; readonly session: number; readonly ts: number; readonly unsettled: boolean }

const session = fc.nat(2)
// Rather one of the first, so that several steps meet at one.
const answer = fc.oneof(fc.nat(3), fc.nat(30))
const time = fc.integer({ min: 1, max: 4 })
const text = fc.string({ unit: 'grapheme', maxLength: 12 })
// No content at all is that of an erased row.
const content = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
const off = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: -1, max: 1 }))
const rarely = fc.nat(9).map((n) => n === 0)

const optional = { requiredKeys: [] }

const feedback = fc.option(
  fc.record(
    { rating: fc.constantFrom('up' as const, 'down' as const), ts: time, comment: text },
    { requiredKeys: ['rating', 'ts'] },
  ),
  { nil: undefined },
)

const steps: readonly { weight: number; arbitrary: fc.Arbitrary<Step> }[] = [
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('create' as const), session, user: fc.nat(1), lastActivity: time }),
  },
  {
    weight: 2,
    arbitrary: fc.record(
      {
        kind: fc.constant('change' as const),
        session,
        stale: rarely,
        lastActivity: time,
        name: fc.option(text, { nil: null }),
        preview: fc.option(text, { nil: null }),
        shared: fc.boolean(),
        erased: rarely,
      },
      { requiredKeys: ['kind', 'session', 'stale', 'lastActivity', 'name', 'preview', 'erased'] },
    ),
  },
  {
    weight: 6,
    arbitrary: fc.record(
      {
        kind: fc.constant('insert' as const),
        session,
        taken: rarely,
        asks: fc.boolean(),
        author: fc.nat(1),
        cmid: fc.nat(12),
        ts: time,
        content,
      },
      { requiredKeys: ['kind', 'session', 'taken', 'asks', 'author', 'ts', 'content'] },
    ),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('begin' as const),
      answer,
      off,
      cause: fc.constantFrom('fresh' as const, 'fault' as const, 'gone' as const),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record(
      {
        kind: fc.constant('end' as const),
        answer,
        attempt: fc.constantFrom('any' as const, 'known' as const, 'other' as const),
        status: fc.constantFrom('done' as const, 'failed' as const, 'cancelled' as const),
        tokens: fc.nat(1_000),
        cost: fc.oneof(fc.nat(3), fc.nat(5_000_000_000)),
        notices: fc.uniqueArray(fc.constantFrom(...answerNotices), { minLength: 1 }),
        text,
        thread: text,
        endedAt: time,
      },
      { requiredKeys: ['kind', 'answer', 'attempt', 'status', 'text', 'endedAt'] },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('pending' as const),
      answer,
      off,
      change: fc.record(
        { due: fc.nat(99), cancelAt: fc.nat(99), handbacks: fc.nat(3), n: fc.integer({ min: 1, max: 3 }) },
        optional,
      ),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('supersede' as const), answer }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rate' as const), answer, feedback }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('settle' as const), answer, asLine: rarely }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('settle-line' as const), session, seq: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), user: fc.nat(1) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('erase' as const), session, ts: time, unsettled: fc.boolean() }),
  },
]

// Long ones: by default fast-check prefers ten steps, in which hardly anything happens to one answer.
export const someSteps: fc.Arbitrary<Step[]> = fc.array(fc.oneof(...steps), {
  minLength: 1,
  maxLength: 60,
  size: 'max',
})
