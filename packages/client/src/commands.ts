import type { ClientFrame, ServerFrame, ServerFrameOf } from '@chatbox/protocol'
import { jittered } from './backoff.ts'
import { remember } from './bounded.ts'
import { randomId } from './ids.ts'
import { type Cancel, later } from './later.ts'
import type { Tuning } from './tuning.ts'

type Wish = Extract<
  ClientFrame,
  { type: 'answer.cancel' | 'answer.regenerate' | 'session.model' | 'session.read' | 'session.end' }
>
/** `requestId` is made here. */
export type Command = Wish extends infer W ? (W extends Wish ? Omit<W, 'requestId'> : never) : never

export interface CommandsOptions {
  readonly tuning: Tuning
  readonly random: () => number
  transmit(frame: ClientFrame): boolean
}

/** Keeps what the user asked for until the server shows that it is so: a press on "stop" must survive a lost connection. */
export interface Commands {
  add(command: Command): void
  opened(): void
  closed(): void
  /** Any frame may show that something asked for is done. */
  seen(frame: ServerFrame): void
  /** Whether the error was about a command and that command is asked for again. */
  retried(frame: ServerFrameOf<'error'>): boolean
  clear(): void
}

interface Entry {
  readonly frame: Wish
  sentAt: number | undefined
  errors: number
  cancel: Cancel
}

const MAX_COMMANDS = 100
/** An answer that has not come by then will not come; what was asked for is not forced on a world that has moved on. */
const STALE_MS = 120_000

export function createCommands(options: CommandsOptions): Commands {
  const entries = new Map<string, Entry>()

  const push = (entry: Entry) => {
    entry.cancel()
    if (options.transmit(entry.frame)) entry.sentAt ??= Date.now()
  }
  const drop = (key: string, entry: Entry) => {
    entry.cancel()
    entries.delete(key)
  }

  return {
    add(command) {
      const key = keyOf(command)
      entries.get(key)?.cancel()
      // The server answers each of these the same however often it is asked, so the latest wish is enough.
      const frame = { ...command, requestId: randomId() } as Wish
      const entry: Entry = { frame, sentAt: undefined, errors: 0, cancel: () => undefined }
      remember(entries, key, entry, MAX_COMMANDS)
      push(entry)
    },
    opened() {
      for (const [key, entry] of entries) {
        if (entry.sentAt !== undefined && Date.now() - entry.sentAt > STALE_MS) drop(key, entry)
        else push(entry)
      }
    },
    closed() {
      for (const entry of entries.values()) entry.cancel()
    },
    seen(frame) {
      for (const [key, entry] of entries) if (fulfils(frame, entry.frame)) drop(key, entry)
    },
    retried(frame) {
      for (const [key, entry] of entries) {
        if (entry.frame.requestId !== frame.requestId) continue
        if (frame.retryable) {
          const delay = frame.retryAfterMs ?? jittered(entry.errors++, options.tuning, options.random)
          entry.cancel = later(delay, () => push(entry))
          return true
        }
        drop(key, entry)
      }
      return false
    },
    clear() {
      for (const [key, entry] of entries) drop(key, entry)
    },
  }
}

const keyOf = (command: Command): string => {
  if (command.type === 'answer.cancel') return `${command.type} ${command.answerId}`
  return command.type === 'answer.regenerate'
    ? `${command.type} ${command.sid} ${command.seq}`
    : `${command.type} ${command.sid}`
}

function fulfils(frame: ServerFrame, wish: Wish): boolean {
  switch (frame.type) {
    case 'answer.done':
      return wish.type === 'answer.cancel' && wish.answerId === frame.answerId
    case 'message':
      return (
        wish.type === 'answer.regenerate' &&
        wish.sid === frame.sid &&
        wish.seq === frame.seq &&
        frame.answer?.status === 'pending'
      )
    case 'session.updated':
      if (wish.sid !== frame.sid) return false
      if (wish.type === 'session.model') return frame.session.modelId === wish.modelId
      if (wish.type === 'session.read') return frame.session.readSeq >= wish.seq
      return wish.type === 'session.end' && frame.session.endedAt !== undefined
    default:
      return false
  }
}
