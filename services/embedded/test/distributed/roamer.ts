import { setTimeout as pause } from 'node:timers/promises'
import type { ServerFrame } from '@chatbox/protocol'
import { parseServerFrame, textMark, type WireClient } from '@chatbox/testkit/wire'
import type { Distributed, EdgeProcess } from './system.ts'

type MessageFrame = Extract<ServerFrame, { type: 'message' }>

/** A device that goes on to another edge whenever its own is gone, resumes there, and writes down what it was told. */
export interface Roamer {
  readonly user: string
  /** What was accepted, by client message id. */
  readonly accepted: ReadonlyMap<string, MessageFrame>
  /** The logged frames, in the order in which they came. */
  readonly logged: readonly ServerFrame[]
  /** How often it was told that something is lost. */
  readonly losses: number
  readonly connections: number
  /** Why its connections ended. */
  readonly ends: readonly number[]
  /** It was told to come back before its connection ended. */
  readonly told: number
  /** Codes of the errors that it was sent. */
  readonly errors: readonly { readonly code: string; readonly retryable: boolean }[]
  readonly connected: boolean
  /** Sends until it is accepted, under the same id. */
  say(text: string, sid?: string): Promise<MessageFrame>
  stop(): Promise<void>
}

const TRY_AGAIN_MS = 150

export function startRoamer(
  system: Distributed,
  user: string,
  deviceId: string,
  pick: () => EdgeProcess | undefined,
): Roamer {
  const accepted = new Map<string, MessageFrame>()
  const logged: ServerFrame[] = []
  const ends: number[] = []
  const errors: { code: string; retryable: boolean }[] = []
  let [losses, connections, told, sent] = [0, 0, 0, 0]
  let place: string | undefined
  let device: WireClient | undefined
  let stopped = false

  function take(frame: ServerFrame): void {
    if (frame.type === 'error') errors.push({ code: frame.code, retryable: frame.retryable })
    if (frame.type === 'reconnect') told += 1
    if (frame.type === 'ready') {
      if (place !== undefined && !frame.recovered) losses += 1
      place = frame.at
    } else if ('at' in frame && frame.at !== undefined) {
      place = frame.at
      logged.push(frame)
    }
    if (frame.type === 'message' && frame.clientMessageId !== undefined) accepted.set(frame.clientMessageId, frame)
  }

  async function connection(edge: EdgeProcess): Promise<void> {
    const opened = await system.open(edge)
    let listened = 0
    opened.socket.on('message', (data) => {
      listened += 1
      take(parseServerFrame(String(data)))
    })
    const hello = { type: 'hello', token: await system.token(user), deviceId }
    opened.send({ ...hello, ...(place !== undefined && { resume: place }) })
    await opened.waitFor('ready')
    connections += 1
    device = opened
    const { code } = await opened.closed()
    device = undefined
    if (!stopped) ends.push(code)
    if (listened === 0) throw new Error('a connection said nothing')
  }

  async function roam(): Promise<void> {
    while (!stopped) {
      const edge = pick()
      try {
        if (edge) await connection(edge)
      } catch {
        // Refused or cut off before it was ready: whatever the reason, the next try is the answer.
      }
      if (!stopped) await pause(20)
    }
  }
  const roaming = roam()

  return {
    user,
    accepted,
    logged,
    ends,
    errors,
    get losses() {
      return losses
    },
    get connections() {
      return connections
    },
    get told() {
      return told
    },
    get connected() {
      return device !== undefined
    },
    async say(text, sid) {
      sent += 1
      const clientMessageId = `${deviceId}-${sent}`
      for (;;) {
        const known = accepted.get(clientMessageId)
        if (known) return known
        if (stopped) throw new Error(`the roamer was stopped before ${clientMessageId} was accepted`)
        device?.send({
          type: 'message.send',
          text,
          clientMessageId,
          modelId: 'demo-quick',
          ...(sid !== undefined && { sid }),
        })
        const until = performance.now() + TRY_AGAIN_MS * 4
        while (!accepted.has(clientMessageId) && performance.now() < until && !stopped) await pause(5)
      }
    },
    async stop() {
      stopped = true
      await device?.close()
      await roaming
    },
  }
}

/** What is wrong with what a user's devices were told, beside what is stored; nothing, if all is well. */
export async function faultsOf(system: Distributed, roamers: readonly Roamer[]): Promise<string[]> {
  const faults: string[] = []
  const accepted = new Map<string, MessageFrame>()
  for (const roamer of roamers) for (const [id, frame] of roamer.accepted) accepted.set(id, frame)
  const sids = new Set([...accepted.values()].map(({ sid }) => sid))
  for (const sid of sids) {
    const { turns } = await system.stored(sid)
    let next = 1
    for (const turn of turns) {
      if (turn.seq !== next) faults.push(`${sid}: ${turn.seq} follows where ${next} should`)
      next = turn.seq + turn.width
    }
    const ids = turns.map(({ cmid }) => cmid)
    if (new Set(ids).size !== ids.length) faults.push(`${sid}: a message is stored twice`)
    const stored = new Map(turns.map(({ answer }) => [String(answer?.answerId), textMark(answer?.text ?? '')]))
    for (const roamer of roamers) {
      for (const frame of roamer.logged) {
        if (frame.type !== 'answer.done' || frame.sid !== sid || frame.status !== 'done') continue
        const { length, hash } = frame
        const mark = stored.get(frame.answerId)
        if (mark?.length !== length || mark.hash !== hash) faults.push(`${sid}: ${frame.answerId} differs`)
      }
    }
    for (const [id, frame] of accepted) {
      if (frame.sid !== sid) continue
      if (!turns.some(({ cmid, seq }) => cmid === id && seq === frame.seq)) faults.push(`${sid}: ${id} is lost`)
    }
  }
  const users = new Map([...sids].map((sid) => [sid, new Set<string>()]))
  for (const roamer of roamers) for (const { sid } of roamer.accepted.values()) users.get(sid)?.add(roamer.user)
  for (const roamer of roamers) {
    // A message that was sent again is announced again, as the same one: devices take it by its place.
    const places = new Map<string, string | undefined>()
    for (const frame of roamer.logged) {
      if (frame.type !== 'message') continue
      const place = `${frame.sid} ${frame.seq}`
      const said = `${frame.clientMessageId} ${frame.text}`
      if ((places.get(place) ?? said) !== said) faults.push(`${roamer.user}: two messages at ${place}`)
      places.set(place, said)
    }
    for (const sid of sids) {
      const seqs = roamer.logged.flatMap((frame) => (frame.type === 'message' && frame.sid === sid ? [frame.seq] : []))
      const firsts = seqs.filter((seq, i) => seqs.indexOf(seq) === i)
      // Who was told of a loss may hear of an earlier message after a later one: when somebody sends it again.
      if (roamer.losses === 0 && firsts.some((seq, i) => i > 0 && seq < (firsts[i - 1] ?? 0)))
        faults.push(`${roamer.user}: out of order in ${sid}`)
      if (!users.get(sid)?.has(roamer.user)) continue
      const { turns } = await system.stored(sid)
      const missing = turns.filter(({ seq }) => !seqs.includes(seq))
      if (roamer.losses === 0 && missing.length > 0) {
        faults.push(`${roamer.user}: never told of ${sid} ${missing.map(({ seq }) => seq).join(', ')}`)
      }
    }
  }
  return faults
}
