import {
  type AnswerId,
  answerId,
  clientMessageId,
  type EntryBody,
  newAnswerId,
  newSessionId,
  requestId,
  type SessionId,
  userId,
} from '@chatbox/core'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Bench, bench } from './fixture.ts'

/** What a user may do, in any order and any number of times. */
type Step =
  | { readonly do: 'send'; readonly chat: number; readonly message: number; readonly text: string }
  | { readonly do: 'begin'; readonly chat: number; readonly turn: number }
  | { readonly do: 'end'; readonly chat: number; readonly turn: number; readonly attempt: number }
  | { readonly do: 'cancel'; readonly chat: number; readonly turn: number }
  | { readonly do: 'regenerate'; readonly chat: number; readonly turn: number; readonly wish: number }

const index = (max: number) => fc.integer({ min: 0, max })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      chat: index(1),
      message: index(3),
      text: fc.constantFrom('a', 'b'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('begin' as const), chat: index(1), turn: index(3) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('end' as const), chat: index(1), turn: index(3), attempt: index(2) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('regenerate' as const), chat: index(1), turn: index(3), wish: index(2) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), chat: index(1), turn: index(3) }) },
)

interface ModelTurn {
  readonly cmid: string
  readonly text: string
  attempt: number
  status: 'pending' | 'done' | 'cancelled'
  /** Those that were fulfilled; the last one's answer is the current one. */
  readonly wishes: number[]
  /** How the answers ended that another one took the place of. */
  readonly superseded: ModelTurn['status'][]
}

const TOKENS = 7
const COST = 5

/** The same rules in the plainest words: a list of turns per chat, and nothing else. */
function model() {
  const chats = new Map<SessionId, ModelTurn[]>()
  return {
    chats,
    apply(sid: SessionId, step: Step): void {
      const turns = chats.get(sid) ?? []
      if (step.do === 'send') {
        // Ids are unique over all chats of the user, so the chat is part of the id here.
        if (turns.some((turn) => turn.cmid === cmidOf(step))) return
        chats.set(sid, [
          ...turns,
          { cmid: cmidOf(step), text: step.text, attempt: 0, status: 'pending', wishes: [], superseded: [] },
        ])
        return
      }
      const turn = turns[step.turn]
      if (step.do === 'regenerate') {
        if (!turn || turn.wishes.includes(step.wish) || turns.some(({ status }) => status === 'pending')) return
        turn.wishes.push(step.wish)
        turn.superseded.push(turn.status)
        turn.status = 'pending'
        turn.attempt = 0
        return
      }
      if (turn?.status !== 'pending') return
      if (step.do === 'begin') turn.attempt++
      else if (step.do === 'end' && step.attempt === turn.attempt) turn.status = 'done'
      else if (step.do === 'cancel' && turn.attempt === 0) turn.status = 'cancelled'
    },
  }
}

const wishOf = (wish: number) => requestId(`wish-${wish}`)
const cmidOf = (step: Extract<Step, { do: 'send' }>) => `chat-${step.chat}-message-${step.message}`

let b: Bench
beforeAll(async () => {
  // No sweeper within a run: it would act on what this test leaves behind.
  b = await bench({ times: { sweepMs: 3_600_000 } })
})
afterAll(() => b.close())

let run = 0

it("whatever order and repetition entries come in, a user's sessions are those of a simple model", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 8, maxLength: 30, size: 'max' }),
      fc.integer({ min: 1, max: 3 }),
      async (steps, times) => {
        const uid = userId(`user-${run++}`)
        const sids = [0, 1].map((chat) => newSessionId('secret', uid, clientMessageId(`chat-${chat}`)))
        const expected = model()
        for (const step of steps) {
          const sid = sids[step.chat] as SessionId
          expected.apply(sid, step)
          await perform(uid, sid, step, times)
        }
        for (const sid of sids) await compare(sid, expected.chats.get(sid) ?? [])
      },
    ),
    { numRuns: 40 },
  )
})

const idOf = (sid: SessionId, turn: number): AnswerId | undefined => answers.get(`${sid}/${turn}`)
const answers = new Map<string, AnswerId>()

async function perform(uid: ReturnType<typeof userId>, sid: SessionId, step: Step, times: number): Promise<void> {
  const entry = entryOf(uid, sid, step)
  if (step.do === 'begin') {
    const id = idOf(sid, step.turn)
    const turn = id && (await b.conversations.turnByAnswerId(sid, id))
    if (turn?.answer) await b.conversations.beginAttempt(sid, turn.answer.answerId, turn.answer.attempt, 'fresh')
    return
  }
  if (!entry) return
  // At least once, sometimes more often, all at the same time: what a second owner or a client's retry does.
  await Promise.all(
    Array.from({ length: times }, () => b.ask({ ...entry, requestId: requestId(`r-${Math.random()}`) })),
  )
  const turns = await b.conversations.turns(sid, { limit: 100, after: 0 })
  for (const [i, turn] of turns.entries()) if (turn.answer) answers.set(`${sid}/${i}`, turn.answer.answerId)
}

function entryOf(uid: ReturnType<typeof userId>, sid: SessionId, step: Step): EntryBody | undefined {
  const base = { uid, sid, requestId: requestId('set later') }
  if (step.do === 'send') {
    const cmid = clientMessageId(cmidOf(step))
    const said = { author: 'user' as const, authorId: uid, cmid, kind: 'text' as const, content: { text: step.text } }
    return { ...base, kind: 'send', fresh: true, said }
  }
  if (step.do === 'regenerate') {
    return { ...base, kind: 'answer.regenerate', seq: 2 * step.turn + 1, wish: wishOf(step.wish) }
  }
  const id = idOf(sid, step.do === 'begin' ? -1 : step.turn) ?? answerId('nobody-has-this')
  if (step.do === 'cancel') return { ...base, kind: 'answer.cancel', answerId: id }
  if (step.do !== 'end') return undefined
  const usage = { inputTokens: 3, outputTokens: 4, estimated: false, cost: COST }
  const end = { status: 'done' as const, text: 'answer', endedAt: 1, usage }
  return { ...base, kind: 'answer.end', answerId: id, attempt: step.attempt, end }
}

async function compare(sid: SessionId, expected: readonly ModelTurn[]): Promise<void> {
  const turns = await b.conversations.turns(sid, { limit: 100, after: 0 })
  expect(turns.map(({ seq, cmid, content, answer }) => [seq, cmid, content.text, answer?.status])).toEqual(
    expected.map(({ cmid, text, status }, i) => [2 * i + 1, cmid, text, status]),
  )
  for (const [i, turn] of turns.entries()) {
    const { wishes = [], superseded = [] } = expected[i] ?? {}
    const asked = [turn.cmid ?? clientMessageId(''), ...wishes.map(wishOf)]
    expect([...turn.superseded, turn.answer].map((answer) => answer?.answerId)).toEqual(
      asked.map((wish) => newAnswerId(sid, turn.seq, wish)),
    )
    expect(turn.superseded.map(({ status }) => status)).toEqual(superseded)
  }
  const session = await b.conversations.session(sid)
  if (expected.length === 0) return expect(session?.msgCount ?? 0).toBe(0)
  const spent = expected.flatMap(({ status, superseded }) => [...superseded, status]).filter((s) => s === 'done').length
  const sums = { totalTokens: spent * TOKENS, totalCost: spent * COST }
  expect(session).toMatchObject({ msgCount: 2 * expected.length, ...sums })
}
