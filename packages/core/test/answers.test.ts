import { describe, expect, it } from 'vitest'
import {
  type Answer,
  type AnswerLimits,
  type AnswerRecord,
  answerId,
  crashesOf,
  defaultAnswerLimits,
  fingerprint,
  newAnswer,
  sweep,
} from '../src/index.ts'

const limits: AnswerLimits = { ...defaultAnswerLimits, maxCrashes: 3, aliveMs: 20_000 }
const NOW = 1_000_000
const pending = (change: Partial<Answer> = {}): Answer => ({
  ...newAnswer(answerId('a'), 'demo', 0, NOW + 1),
  ...change,
})
const open = (idleMs: number): AnswerRecord => ({ attempt: 1, state: 'open', idleMs })
const end = { header: { answerId: answerId('a'), attempt: 1, class: 'end' as const }, body: new Uint8Array() }

describe('what the sweeper does (R17)', () => {
  const nothing = { record: undefined, jobExists: false }
  it.each([
    ['leaves what has ended', pending({ status: 'done' }), nothing, 'leave'],
    ['queues what nobody has', pending(), nothing, 'queue'],
    ['leaves what has a job', pending(), { record: undefined, jobExists: true }, 'leave'],
    ['leaves what was heard of just now', pending({ attempt: 1 }), { record: open(19_999), jobExists: false }, 'leave'],
    [
      'queues what was not heard of for too long',
      pending({ attempt: 1 }),
      { record: open(20_000), jobExists: false },
      'queue',
    ],
    [
      'waits for the job of what was not heard of',
      pending({ attempt: 1 }),
      { record: open(20_000), jobExists: true },
      'leave',
    ],
    [
      'applies a recorded end',
      pending({ attempt: 1 }),
      { record: { ...open(0), state: 'ended' as const, end }, jobExists: true },
      'apply-end',
    ],
    [
      'does not send the end of an attempt that was overtaken',
      pending({ attempt: 2 }),
      { record: { ...open(0), state: 'ended' as const, end }, jobExists: false },
      'queue',
    ],
    [
      'also when it is overdue by then',
      pending({ due: NOW - 1, attempt: 1 }),
      { record: { ...open(0), state: 'ended' as const, end }, jobExists: false },
      'apply-end',
    ],
    [
      'leaves what was begun since it was read, whatever has become of it',
      pending(),
      { record: { ...open(20_000), state: 'ended' as const, end }, jobExists: false },
      'leave',
    ],
    [
      'fails what is overdue, even if it is at work',
      pending({ due: NOW - 1 }),
      { record: open(0), jobExists: true },
      'overdue',
    ],
    [
      'ends what was cancelled and has nobody, job or not',
      pending({ cancelAt: 1 }),
      { record: undefined, jobExists: true },
      'cancel',
    ],
    [
      'leaves what was cancelled to the worker that is at it',
      pending({ cancelAt: 1, attempt: 1 }),
      { record: open(5), jobExists: true },
      'leave',
    ],
    ['fails what crashed too often', pending({ attempt: 3 }), nothing, 'crashed-too-often'],
    [
      'does not count hand-backs and faults as crashes (R13)',
      pending({ attempt: 9, handbacks: 5, faults: 2 }),
      nothing,
      'queue',
    ],
  ] as const)('%s', (_, answer, seen, verdict) => {
    expect(sweep(answer, seen, NOW, limits)).toBe(verdict)
  })

  it('never counts fewer than no crashes', () => {
    expect(crashesOf({ attempt: 1, faults: 1, handbacks: 1 })).toBe(0)
  })
})

describe('the mark of a text', () => {
  it('counts bytes, not characters, and differs with the text', () => {
    expect(fingerprint('')).toEqual({ length: 0, hash: 'e3b0c44298fc1c149afbf4c8996fb924' })
    expect(fingerprint('é').length).toBe(2)
    expect(fingerprint('a').hash).not.toBe(fingerprint('b').hash)
  })
})
