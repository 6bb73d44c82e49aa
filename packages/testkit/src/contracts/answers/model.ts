import type { AnswerRef, Answers, SessionId, UserId } from '@chatbox/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Build, type Built, opener } from '../adapter.ts'
import { record, textsHeardBy } from '../recorder.ts'
import { chunkPacket, endPacket, someAnswer, someSession, someUser, texts } from '../samples.ts'
import { type Step, someStep } from './model-steps.ts'
import { append, begin } from './writing.ts'

/** An answer, told simply: what was accepted, one string per index, and how far it has come. */
interface Told {
  readonly ref: AnswerRef
  attempt: number
  phase: 'none' | 'open' | 'ended' | 'closed'
  accepted: string[]
  /** Where segments end. */
  ends: number[]
  hasEnd: boolean
  fencedBy?: number
  cancelled: boolean
}

interface World {
  readonly answers: Answers
  readonly uid: UserId
  readonly all: readonly Told[]
  readonly epochs: Map<SessionId, number>
  readonly published: string[]
}

type StepOf<K extends Step['kind']> = Extract<Step, { kind: K }>
type Check<K extends Step['kind']> = (world: World, told: Told, step: StepOf<K>) => Promise<void>

const told = (uid: UserId, sid: SessionId): Told => ({
  ref: someAnswer({ uid, sid }),
  attempt: 0,
  phase: 'none',
  accepted: [],
  ends: [],
  hasEnd: false,
  cancelled: false,
})

const attemptOf = (answer: Told, behind: number) => Math.max(1, answer.attempt - behind)

/** Each reason to refuse is enough; which of several is named is the adapter's choice. */
const expectOutcome = (outcome: string | undefined, good: string, ...reasons: (string | false)[]): boolean => {
  const why = reasons.filter((reason) => reason !== false)
  expect(why.length > 0 ? why : [good]).toContain(outcome)
  return why.length === 0
}

const checkBegin: Check<'begin'> = async ({ answers, epochs, published }, answer, { attempt, epoch }) => {
  const begun = expectOutcome(
    await begin(answers, answer.ref, attempt, epoch),
    'begun',
    epoch < (epochs.get(answer.ref.sid) ?? 0) && 'fenced',
    answer.phase === 'closed' && 'ended',
    attempt <= answer.attempt && 'stale',
  )
  if (!begun) return
  Object.assign(answer, { attempt, phase: 'open', accepted: [], ends: [], hasEnd: false })
  published.push(`started ${attempt}`)
}

const checkAppend: Check<'append'> = async ({ answers, published }, answer, { behind, ahead }) => {
  const attempt = attemptOf(answer, behind)
  const next = answer.accepted.length
  const index = Math.max(0, next + ahead)
  const body = answer.accepted[index] ?? `${answer.ref.answerId} ${attempt} ${index};`
  const accepted = expectOutcome(
    await append(answers, answer.ref, attempt, index, body),
    'accepted',
    (answer.phase === 'closed' || (answer.phase === 'ended' && attempt === answer.attempt)) && 'ended',
    attempt < answer.attempt && 'stale',
    (answer.phase === 'none' || attempt > answer.attempt || index > next) && 'gone',
  )
  if (!accepted || index < next) return
  answer.accepted.push(body)
  published.push(body)
}

const checkMerge: Check<'merge'> = async ({ answers }, answer, { behind, after, upTo }) => {
  const attempt = attemptOf(answer, behind)
  const from = [0, ...answer.ends].at(-after - 1) ?? after
  const border = (index: number) => index === 0 || answer.ends.includes(index)
  const whole = border(from) && (border(upTo) || upTo > Math.max(0, ...answer.ends))
  const covered = upTo > from && upTo <= answer.accepted.length
  const allowed = answer.phase === 'open' && attempt === answer.attempt && whole && covered
  const segment = chunkPacket(answer.ref, attempt, 0, answer.accepted.slice(from, upTo).join(''))
  expect(await answers.merge(answer.ref, attempt, from, upTo, segment)).toBe(allowed)
  if (allowed) answer.ends = [...answer.ends.filter((end) => end <= from || end > upTo), upTo].sort((a, b) => a - b)
}

const checkEnd: Check<'end'> = async ({ answers }, answer, { behind }) => {
  const attempt = attemptOf(answer, behind)
  const ended = expectOutcome(
    await answers.end(answer.ref, attempt, endPacket(answer.ref, attempt)),
    'ended',
    attempt < answer.attempt && 'stale',
    answer.phase === 'closed' && !(answer.hasEnd && attempt === answer.attempt) && 'stale',
    (answer.phase === 'none' || attempt > answer.attempt) && 'gone',
  )
  if (!ended || answer.phase === 'closed') return
  // The end has the text.
  Object.assign(answer, { phase: 'ended', hasEnd: true, accepted: [], ends: [] })
}

const checkClose: Check<'close'> = async ({ answers }, answer) => {
  const closed = await answers.close(answer.ref)
  const seen = [closed.attempt, texts(closed.chunks).join(''), closed.end !== undefined]
  expect(seen).toEqual([answer.attempt, answer.accepted.join(''), answer.hasEnd])
  answer.phase = 'closed'
}

const checkFence: Check<'fence'> = async ({ answers, uid, all, epochs }, { ref: { sid } }, { epoch }) => {
  const session = all.filter(({ ref }) => ref.sid === sid)
  if (epoch > (epochs.get(sid) ?? 0)) {
    epochs.set(sid, epoch)
    const reached = session.filter(({ phase }) => phase === 'open' || phase === 'ended')
    for (const answer of reached) Object.assign(answer, { phase: 'closed', fencedBy: epoch })
  }
  const closed = await answers.fence(uid, sid, epoch)
  const expected = session.filter(({ fencedBy }) => fencedBy === epoch)
  expect(new Map(closed.map(({ ref, chunks }) => [ref.answerId, texts(chunks).join('')]))).toEqual(
    new Map(expected.map(({ ref, accepted }) => [ref.answerId, accepted.join('')])),
  )
}

const checkCancel: Check<'cancel'> = async ({ answers }, answer) => {
  await answers.cancel(answer.ref)
  answer.cancelled = true
}

const checkLook: Check<'look'> = async ({ answers, uid, all, epochs }) => {
  const refs = all.map(({ ref }) => ref)
  const { open, epochs: seenEpochs } = await answers.snapshot(uid)
  expect(seenEpochs).toEqual(epochs)
  expect(new Map(open.map(({ ref, next, chunks }) => [ref.answerId, [next, texts(chunks).join('')]]))).toEqual(
    new Map(
      all
        .filter(({ phase }) => phase === 'open')
        .map(({ ref, accepted }) => [ref.answerId, [accepted.length, accepted.join('')]]),
    ),
  )
  expect((await answers.inspect(refs)).map((seen) => seen && [seen.attempt, seen.state, !!seen.end])).toEqual(
    all.map(({ phase, attempt, hasEnd }) =>
      phase === 'none' ? undefined : [attempt, phase === 'open' ? 'open' : 'ended', hasEnd],
    ),
  )
  expect(await answers.cancelled(refs)).toEqual(all.map(({ cancelled }) => cancelled))
}

function check(world: World, step: Step): Promise<void> {
  const answer = world.all[step.of]
  if (!answer) throw new Error('no such answer')
  switch (step.kind) {
    case 'begin':
      return checkBegin(world, answer, step)
    case 'append':
      return checkAppend(world, answer, step)
    case 'merge':
      return checkMerge(world, answer, step)
    case 'end':
      return checkEnd(world, answer, step)
    case 'fence':
      return checkFence(world, answer, step)
    case 'close':
      return checkClose(world, answer, step)
    case 'cancel':
      return checkCancel(world, answer, step)
    case 'look':
      return checkLook(world, answer, step)
  }
}

async function checkAll({ answers, bus }: Built<'answers' | 'bus'>, steps: readonly Step[]): Promise<void> {
  const uid = someUser()
  const sid = someSession()
  const all = [told(uid, sid), told(uid, sid), told(uid, someSession())]
  const world: World = { answers, uid, all, epochs: new Map(), published: [] }
  const heard = await record(bus, uid)
  for (const step of steps) await check(world, step)
  expect(await textsHeardBy(bus, uid, heard)).toEqual(world.published)
}

export function answersModelContract(build: Build<'answers' | 'bus'>): void {
  describe('model', () => {
    const open = opener(build)

    it('any sequence of calls does what a simple model says, and publishes each accepted chunk once', async () => {
      const store = await open()
      const steps = fc.array(someStep, { maxLength: 40, size: 'max' })
      await fc.assert(
        fc.asyncProperty(steps, (sequence) => checkAll(store, sequence)),
        { numRuns: 100 },
      )
    }, 60_000)
  })
}
