import { isDeepStrictEqual } from 'node:util'
import type { Turn } from '@chatbox/core'
import type { ServerFrame } from '@chatbox/protocol'
import { shownTexts } from '@chatbox/testkit/wire'
import type { Roamer } from '../distributed/roamer.ts'
import { type Narrator, questionOf, type Told, type Vendor } from './narrator.ts'
import type { Whole } from './scene.ts'

/** A question that was accepted, and the answer that it gets. */
export interface Asked {
  /** As the narrator knows it. */
  readonly name: string
  readonly user: string
  readonly sid: string
  readonly seq: number
  readonly answerId: string
}

export interface AskOptions {
  /** Without it in a session of its own. */
  readonly sid?: string
  readonly vendor?: Vendor
}

export async function ask(roamer: Roamer, name: string, { sid, vendor = 'openai' }: AskOptions = {}): Promise<Asked> {
  const accepted = await roamer.say(questionOf(name), sid, vendor)
  const { answer } = accepted
  if (!answer) throw new Error(`question ${name} gets no answer`)
  return { name, user: roamer.user, sid: accepted.sid, seq: accepted.seq, answerId: answer.answerId }
}

const ofAnswer = ({ frames }: Roamer, { answerId }: Asked): ServerFrame[] =>
  frames.filter((frame) => 'answerId' in frame && frame.answerId === answerId)

export const shownOf = (roamer: Roamer, asked: Asked): string =>
  shownTexts(ofAnswer(roamer, asked)).get(asked.answerId)?.text ?? ''

/**
 * The ends that a device was told of, without their places. One that comes again as it was is no other one: where an entry is slow, the
 * sweeper sends the end that it finds recorded, and the entry is told of like any (R8, R17).
 */
export function endsOf({ logged }: Roamer, { answerId }: Asked) {
  const ends = logged.flatMap((frame) => {
    if (frame.type !== 'answer.done' || frame.answerId !== answerId) return []
    const { at: _, ...said } = frame
    return [said]
  })
  return ends.filter((end, i) => ends.findIndex((other) => isDeepStrictEqual(other, end)) === i)
}

export const devicesOf = ({ roamers }: Whole, { user }: Asked): Roamer[] =>
  roamers.filter((roamer) => roamer.user === user)

/** All devices of whoever asked show this of a request, and nothing else. */
export const allShow = (all: Whole, asked: Asked, text: string): boolean =>
  devicesOf(all, asked).every((roamer) => shownOf(roamer, asked) === text)

export const allSawTheEnd = (all: Whole, asked: Asked): boolean =>
  devicesOf(all, asked).every((roamer) => endsOf(roamer, asked).length > 0)

/** At no time did a device show text of two requests. */
function mixedOn(roamer: Roamer, asked: Asked, told: readonly Told[]): string[] {
  const frames = ofAnswer(roamer, asked)
  const shown = frames.map((_, i) => shownTexts(frames.slice(0, i + 1)).get(asked.answerId)?.text ?? '')
  return shown
    .filter((text) => !told.some((one) => one.text.startsWith(text)))
    .slice(0, 1)
    .map((text) => `${roamer.user}: ${asked.name} was shown mixed: ${text.slice(-200)}`)
}

/** What is wrong with answers that were to be told whole: by the last request for them, once, and nothing else at any time (P6, P7). */
export async function faultsOfAnswers(all: Whole, narrator: Narrator, asked: readonly Asked[]): Promise<string[]> {
  const sessions = new Map<string, readonly Turn[]>()
  const faults: string[] = []
  // One after the other: a thousand at once is more than a database answers in its time.
  for (const one of asked) {
    const turns = sessions.get(one.sid) ?? (await all.system.stored(one.sid)).turns
    sessions.set(one.sid, turns)
    const answer = turns.find(({ seq }) => seq === one.seq)?.answer
    faults.push(...faultsOfStored(one, answer, narrator.told(one.name)), ...faultsOfShown(all, one, narrator))
  }
  return faults
}

function faultsOfStored({ name }: Asked, answer: Turn['answer'], told: readonly Told[]): string[] {
  const faults: string[] = []
  if (answer?.status !== 'done') faults.push(`${name} is stored as ${answer?.status} ${answer?.error ?? ''}`)
  if (answer?.text !== told.at(-1)?.text) faults.push(`${name} is stored with another text than was told last`)
  return faults
}

function faultsOfShown(all: Whole, asked: Asked, narrator: Narrator): string[] {
  return devicesOf(all, asked).flatMap((roamer) => {
    const faults = mixedOn(roamer, asked, narrator.told(asked.name))
    const ends = endsOf(roamer, asked)
    // Who was told of a loss reads what there is; the other checks are about that.
    if (roamer.losses > 0 || ends.length === 1) return faults
    return [...faults, `${roamer.user}: ${asked.name} has ${ends.length} different ends`]
  })
}
