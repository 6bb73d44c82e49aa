import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { createAnswers } from '../src/answers.ts'
import type { AnswerState } from '../src/index.ts'
import type { StreamFrame } from '../src/merge.ts'
import { delta, done, reset, snapshot, started, storedAnswer } from './helpers/frames.ts'

interface Story {
  /** The chunks of each attempt; the last attempt is the one that is stored. */
  readonly attempts: readonly (readonly string[])[]
  readonly frames: readonly StreamFrame[]
}

/** No two chunks look alike, so that a mixture shows. Equal lengths are common, so that a length proves little. */
const chunksOf = (attempt: number) =>
  fc
    .array(fc.integer({ min: 0, max: 3 }), { maxLength: 6 })
    .map((sizes) => sizes.map((size, index) => String.fromCharCode(0x100 + attempt * 16 + index).repeat(size)))

/** All that a server could have said of it, lost, repeated and moved about in any way. */
const story: fc.Arbitrary<Story> = fc
  .integer({ min: 1, max: 4 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, place) => chunksOf(place + 1))))
  .chain((attempts) => {
    const said = attempts.flatMap((chunks, place): StreamFrame[] => {
      const attempt = place + 1
      const upTo = (next: number) => snapshot(next, chunks.slice(0, next).join(''), attempt)
      return [
        started(attempt),
        ...(attempt > 1 ? [reset(attempt)] : []),
        ...chunks.flatMap((text, index) => [delta(index, text, attempt), upTo(index + 1)]),
        upTo(0),
      ]
    })
    const heard = fc.array(fc.constantFrom(...said), { maxLength: 60 })
    const inOrder = heard.map((frames) => [...frames].sort((a, b) => said.indexOf(a) - said.indexOf(b)))
    return fc.oneof(heard, inOrder).map((frames) => ({ attempts, frames }))
  })

async function play({ attempts, frames }: Story, endsAfter: number) {
  const stored = attempts.at(-1)?.join('') ?? ''
  const shown: AnswerState[] = []
  let fetched = 0
  const end = deferred()
  const answers = createAnswers({
    max: 10,
    onAnswer(state) {
      shown.push(state)
      if (state.status !== 'pending') end.resolve()
    },
    async fetchStored() {
      fetched++
      return storedAnswer(stored)
    },
    retryAfterMs: () => 0,
    onDoubt: () => expect.unreachable('the stored text was there'),
  })
  const ending = done(stored, { attempt: attempts.length })
  frames.slice(0, endsAfter).forEach(answers.stream)
  answers.done(ending)
  frames.slice(endsAfter).forEach(answers.stream)
  answers.done(ending)
  await end.promise
  return { stored, shown, fetched }
}

function deferred() {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve: () => resolve() }
}

const check = fc.asyncProperty(story, fc.nat(60), async (told, endsAfter) => {
  const { stored, shown, fetched } = await play(told, endsAfter)
  const last = shown.at(-1)
  expect(last).toMatchObject({ status: 'done', text: stored })
  expect(shown.filter((state) => state.status === 'done')).toHaveLength(1)
  expect(fetched).toBeLessThanOrEqual(1)

  let attempt = 0
  for (const state of shown.slice(0, -1)) {
    // What is shown is always a beginning of one attempt, and never of an earlier one than was shown before.
    const whole = told.attempts[state.attempt - 1]?.join('') ?? ''
    expect(whole.slice(0, state.text.length)).toBe(state.text)
    expect(state.attempt).toBeGreaterThanOrEqual(attempt)
    attempt = state.attempt
  }
  if (fetched === 0) expect(shown.at(-2)?.text ?? '').toBe(stored)
})

describe('whatever is lost, repeated or moved about', () => {
  test('the end shows the stored text, and attempts are never mixed', () => fc.assert(check, { numRuns: 500 }))

  test('also where there is no SHA-256', async () => {
    vi.stubGlobal('crypto', {})
    await fc.assert(check, { numRuns: 500 })
    vi.unstubAllGlobals()
  })

  test('a text that arrived whole is not fetched', () =>
    fc.assert(
      fc.asyncProperty(chunksOf(1), async (chunks) => {
        const frames = chunks.map((text, index) => delta(index, text))
        expect(await play({ attempts: [chunks], frames }, frames.length)).toMatchObject({ fetched: 0 })
      }),
    ))
})
