import { setTimeout as pause } from 'node:timers/promises'
import type { ServerFrame } from '@chatbox/protocol'
import type { WireClient } from '@chatbox/testkit/wire'
import type { Distributed, EdgeProcess } from './system.ts'

export type MessageFrame = Extract<ServerFrame, { type: 'message' }>

/** A device that goes on to another edge whenever its own is gone, resumes there, and writes down what it was told. */
export interface Roamer {
  readonly user: string
  /** What was accepted, by client message id. */
  readonly accepted: ReadonlyMap<string, MessageFrame>
  /** What it has asked for, accepted or not. */
  readonly asked: ReadonlySet<string>
  /** Everything it was sent, over all its connections, in the order in which it came. */
  readonly frames: readonly ServerFrame[]
  /** Those of it that are logged. */
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
  say(text: string, sid?: string, modelId?: string): Promise<MessageFrame>
  stop(): Promise<void>
}

const TRY_AGAIN_MS = 600

export function startRoamer(
  system: Distributed,
  user: string,
  deviceId: string,
  pick: () => EdgeProcess | undefined,
  /** After how long without an acceptance it sends again. */
  tryAgainMs = TRY_AGAIN_MS,
): Roamer {
  const accepted = new Map<string, MessageFrame>()
  const asked = new Set<string>()
  const frames: ServerFrame[] = []
  const logged: ServerFrame[] = []
  const ends: number[] = []
  const errors: { code: string; retryable: boolean }[] = []
  let [losses, connections, told, sent] = [0, 0, 0, 0]
  let place: string | undefined
  let device: WireClient | undefined
  let stopped = false
  /** Those that wait to be accepted. */
  const waiting = new Map<string, () => void>()

  function take(frame: ServerFrame): void {
    frames.push(frame)
    if (frame.type === 'error') errors.push({ code: frame.code, retryable: frame.retryable })
    if (frame.type === 'reconnect') told += 1
    if (frame.type === 'ready') {
      if (place !== undefined && !frame.recovered) losses += 1
      place = frame.at
    } else if ('at' in frame && frame.at !== undefined) {
      place = frame.at
      logged.push(frame)
    }
    if (frame.type === 'message' && frame.clientMessageId !== undefined) {
      accepted.set(frame.clientMessageId, frame)
      waiting.get(frame.clientMessageId)?.()
    }
  }

  /** Until it is accepted, or it is time to send it again. */
  function heard(clientMessageId: string): Promise<void> {
    return new Promise((resolve) => {
      const over = () => {
        clearTimeout(timer)
        waiting.delete(clientMessageId)
        resolve()
      }
      const timer = setTimeout(over, tryAgainMs)
      waiting.set(clientMessageId, over)
    })
  }

  async function connection(edge: EdgeProcess): Promise<void> {
    const opened = await system.open(edge)
    // However long that takes: who waits with a limit leaves a connection that lives, and has two of them then.
    const closed = new Promise<number>((resolve) => opened.socket.once('close', resolve))
    let listened = 0
    opened.socket.on('message', () => {
      listened += 1
      const frame = opened.frames[listened - 1]
      if (!frame) throw new Error(`${deviceId} was sent what is no frame`)
      take(frame)
    })
    const hello = { type: 'hello', token: await system.token(user), deviceId }
    opened.send({ ...hello, ...(place !== undefined && { resume: place }) })
    try {
      await opened.waitFor('ready')
    } catch (error) {
      opened.cut()
      throw error
    }
    connections += 1
    device = opened
    const code = await closed
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
    asked,
    frames,
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
    async say(text, sid, modelId = 'demo-quick') {
      sent += 1
      const clientMessageId = `${deviceId}-${sent}`
      asked.add(clientMessageId)
      for (;;) {
        const known = accepted.get(clientMessageId)
        if (known) return known
        if (stopped) throw new Error(`the roamer was stopped before ${clientMessageId} was accepted`)
        device?.send({
          type: 'message.send',
          text,
          clientMessageId,
          modelId,
          ...(sid !== undefined && { sid }),
        })
        await heard(clientMessageId)
      }
    },
    async stop() {
      stopped = true
      for (const wake of [...waiting.values()]) wake()
      await device?.close()
      await roaming
    },
  }
}
