import type { Turn } from '@chatbox/core'
import type { ServerFrameOf } from '@chatbox/protocol'
import { shownTexts, textMark } from '@chatbox/testkit/wire'
import type { MessageFrame, Roamer } from './roamer.ts'
import type { Distributed } from './system.ts'

export interface Circumstances {
  /**
   * Deltas may have been lost on their way without a word to the devices: subscribers were cut off, or Redis hung. What a device
   * has may then be short of the stored text, never other than it.
   */
  readonly mayMiss?: boolean
}

interface Stored {
  readonly sid: string
  readonly turns: readonly Turn[]
  /** Those who said something there. */
  readonly users: ReadonlySet<string>
  readonly accepted: ReadonlyMap<string, MessageFrame>
}

/** What is wrong with what users' devices were told, beside what is stored; nothing, if all is well. Nothing may be under way any more. */
export async function faultsOf(
  system: Distributed,
  roamers: readonly Roamer[],
  circumstances: Circumstances = {},
): Promise<string[]> {
  const sessions = await storedOf(system, roamers)
  const asked = new Set(roamers.flatMap((roamer) => [...roamer.asked]))
  const faults = sessions.flatMap((session) => [...faultsOfStored(session), ...unexpectedIn(session, asked)])
  let whole = 0
  for (const roamer of roamers) {
    faults.push(...faultsOfPlaces(roamer))
    for (const session of sessions) {
      faults.push(...faultsOfOrder(roamer, session))
      if (!session.users.has(roamer.user)) continue
      const answers = await faultsOfAnswers(system, roamer, session, circumstances)
      faults.push(...answers.faults)
      whole += answers.whole
    }
  }
  // Texts that are all fetched in the end would show nothing of how they came.
  const answered = sessions.some(({ turns }) => turns.some(({ answer }) => (answer?.text ?? '') !== ''))
  if (answered && whole === 0) faults.push('no device has put together the text of any answer')
  return faults
}

async function storedOf(system: Distributed, roamers: readonly Roamer[]): Promise<Stored[]> {
  const accepted = new Map<string, MessageFrame>()
  for (const roamer of roamers) for (const [id, frame] of roamer.accepted) accepted.set(id, frame)
  const sids = new Set([...accepted.values()].map(({ sid }) => sid))
  return Promise.all(
    [...sids].map(async (sid) => ({
      sid,
      turns: (await system.stored(sid)).turns,
      users: new Set(
        roamers
          .filter((roamer) => [...roamer.accepted.values()].some((frame) => frame.sid === sid))
          .map(({ user }) => user),
      ),
      accepted: new Map([...accepted].filter(([, frame]) => frame.sid === sid)),
    })),
  )
}

/** Accepted and stored once, without a hole (P1, P2, P3), and with an end (P5). */
function faultsOfStored({ sid, turns, accepted }: Stored): string[] {
  const faults: string[] = []
  let next = 1
  for (const { seq, width, answer } of turns) {
    if (seq !== next) faults.push(`${sid}: ${seq} follows where ${next} should`)
    next = seq + width
    if (answer?.status === 'pending') faults.push(`${sid}: ${answer.answerId} has no end`)
  }
  const ids = turns.map(({ cmid }) => cmid)
  if (new Set(ids).size !== ids.length) faults.push(`${sid}: a message is stored twice`)
  for (const [id, frame] of accepted) {
    if (!turns.some(({ cmid, seq }) => cmid === id && seq === frame.seq)) faults.push(`${sid}: ${id} is lost`)
  }
  return faults
}

const unexpectedIn = ({ sid, turns }: Stored, asked: ReadonlySet<string>): string[] =>
  turns.flatMap(({ cmid, seq }) =>
    cmid !== undefined && !asked.has(cmid) ? [`${sid}: nobody has sent what stands at ${seq}`] : [],
  )

/** A message that was sent again is announced again, as the same one: devices take it by its place. */
function faultsOfPlaces({ user, logged }: Roamer): string[] {
  const faults: string[] = []
  const places = new Map<string, string>()
  for (const frame of logged) {
    if (frame.type !== 'message') continue
    const place = `${frame.sid} ${frame.seq}`
    const said = `${frame.clientMessageId} ${frame.text}`
    if ((places.get(place) ?? said) !== said) faults.push(`${user}: two messages at ${place}`)
    places.set(place, said)
  }
  return faults
}

/** Who was told of a loss may have missed a message, or hear of it after a later one: when somebody sends it again. */
function faultsOfOrder({ user, logged, losses }: Roamer, { sid, turns, users }: Stored): string[] {
  if (losses > 0) return []
  const faults: string[] = []
  const seqs = logged.flatMap((frame) => (frame.type === 'message' && frame.sid === sid ? [frame.seq] : []))
  const firsts = seqs.filter((seq, i) => seqs.indexOf(seq) === i)
  if (firsts.some((seq, i) => i > 0 && seq < (firsts[i - 1] ?? 0))) faults.push(`${user}: out of order in ${sid}`)
  const missing = turns.filter(({ seq }) => users.has(user) && !seqs.includes(seq))
  if (missing.length > 0) faults.push(`${user}: never told of ${sid} ${missing.map(({ seq }) => seq).join(', ')}`)
  return faults
}

/**
 * One end for each answer, the same however often it is told (P5), and on each device the text that is stored (P7): put together from
 * deltas and snapshots, or, where some were missed, known by its mark to be another and read from the history.
 */
async function faultsOfAnswers(
  system: Distributed,
  roamer: Roamer,
  { sid, turns }: Stored,
  { mayMiss = false }: Circumstances,
): Promise<{ faults: string[]; whole: number }> {
  const { user, losses, connections, frames, logged } = roamer
  const faults: string[] = []
  let whole = 0
  const shown = shownTexts(frames)
  const history = new Map(
    (await system.history(user, sid)).map((message) =>
      message.author === 'assistant' ? [message.answerId, message.text] : ['', ''],
    ),
  )
  for (const { answer } of turns) {
    if (!answer) continue
    const { answerId, text = '', status } = answer
    const fault = (what: string) => faults.push(`${user}: ${sid} ${answerId} ${what}`)
    const ends = logged.filter(
      (frame): frame is ServerFrameOf<'answer.done'> => frame.type === 'answer.done' && frame.answerId === answerId,
    )
    if (ends.length === 0 && losses === 0) fault('never ended')
    const mark = textMark(text)
    for (const end of ends) {
      if (end.status !== status || end.attempt !== answer.attempt) fault(`ended as ${end.status}, stored as ${status}`)
      if (end.length !== mark.length || end.hash !== mark.hash) fault('ended with another text than is stored')
    }
    const own = shown.get(answerId)
    // What failed before its last attempt had begun has the text of the one before.
    const mine = own?.attempt === answer.attempt || own?.text === text ? own.text : ''
    if (mine === text) whole += text === '' ? 0 : 1
    else if (!text.startsWith(mine)) fault('shows another text than is stored')
    else if (!mayMiss && losses === 0 && connections === 1) fault('is short of the text that is stored')
    else if (history.get(answerId) !== text) fault('reads as another text than is stored')
  }
  return { faults, whole }
}
