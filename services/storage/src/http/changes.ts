import { setTimeout as sleep } from 'node:timers/promises'
import {
  connectionId,
  DEFAULT_PARTITIONS,
  decodeOutcome,
  type EntryBody,
  edgeId,
  encodeEntry,
  type Outcome,
  partitionOf,
  Refusal,
  type ReplyPacket,
  type RequestId,
  randomId,
  requestId,
} from '@chatbox/core'
import { errorCodes, isErrorCode } from '@chatbox/protocol'
import { createTimers } from '@chatbox/runtime'
import type { StorageDeps, StorageTimes } from '../deps.ts'
import type { Asker } from './asker.ts'

type Distributed<T> = T extends EntryBody ? Omit<T, 'requestId' | 'replyTo'> : never

/** A change that somebody asks for, as an entry without what is the same for all of them. */
export type Change = Distributed<EntryBody>

/** Everything that REST changes is an entry of the ingest log, like what sockets ask for (R6). */
export interface Changes {
  start(): Promise<void>
  /** Resolves when nobody waits any more. */
  stop(): Promise<void>
  /** Resolves when it is done and kept; rejects with a `Refusal`, and within the time limit in any case (P8). */
  ask(change: Change, asker: Asker): Promise<void>
  readonly waiting: number
}

/** What somebody who asks has left. */
interface Time {
  readonly leftMs: number
  /** Resolves when it is over. */
  readonly end: Promise<undefined>
  /** Aborts when nobody waits any more. */
  readonly over: AbortSignal
}

type Heard = Outcome & { readonly field?: string }

/** How much of its time a request waits for its reply before it looks whether that was lost. */
const LISTENING = 0.9

export function createChanges(
  { replica, fabric, log }: Pick<StorageDeps, 'replica' | 'fabric' | 'log'>,
  { requestMs }: Pick<StorageTimes, 'requestMs'>,
  maxWaiting = 5_000,
): Changes {
  const { bus, ingest } = fabric
  const self = { edgeId: edgeId(replica), connectionId: connectionId(replica) }
  /** By an id of each asking, so that a late reply to one that was given up is not taken for that to a later one. */
  const listeners = new Map<RequestId, (heard: Heard) => void>()
  /** By the request's own id: whoever asks for the same meanwhile waits for the same. */
  const underWay = new Map<RequestId, Promise<void>>()
  let stopListening: (() => Promise<void>) | undefined
  let stopTrying: (() => Promise<void>) | undefined

  function onReply({ header, body }: ReplyPacket): void {
    const listener = header.requestId && listeners.get(header.requestId)
    if (!listener) return
    listener(header.type === 'error' ? refusalIn(body) : { ok: true })
  }

  async function kept(partition: number, id: RequestId): Promise<Outcome | undefined> {
    const packet = await ingest.outcome(partition, id)
    return packet && decodeOutcome(packet)
  }

  /** What becomes known without a reply; the same as `end` where nothing does. */
  async function pursue(
    change: Change,
    { requestId: id, again }: Asker,
    asking: RequestId,
    { leftMs, end, over }: Time,
  ): Promise<Heard | undefined> {
    const partition = partitionOf(change.uid, DEFAULT_PARTITIONS)
    const before = again ? await kept(partition, id) : undefined
    // What was refused for the moment only may be asked for again, or the key would be of no use any more.
    if (before && isFinal(before)) return before
    const entry = { ...change, requestId: id, replyTo: { ...self, requestId: asking } } as EntryBody
    const taken = await ingest.append({
      partition,
      packet: encodeEntry(entry),
      ttlMs: Math.ceil(leftMs),
    })
    // Whatever else the log says, or does not say: it may have been taken, and then its reply comes.
    if (taken === 'full') return { ok: false, code: 'overloaded' }
    await sleep(leftMs * LISTENING, undefined, { signal: over })
    const after = await kept(partition, id)
    // A refusal that was there before says nothing of this time.
    return after && (isFinal(after) || !before) ? after : end
  }

  async function perform(change: Change, asker: Asker): Promise<void> {
    const leftMs = requestMs - (performance.now() - (asker.since ?? performance.now()))
    if (leftMs <= 0) throw new Refusal('unavailable')
    const asking = requestId(randomId())
    const over = new AbortController()
    const replied = new Promise<Heard>((resolve) => listeners.set(asking, resolve))
    const end = sleep(leftMs, undefined, { signal: over.signal })
    try {
      const heard = await Promise.race([
        replied,
        pursue(change, asker, asking, { leftMs, end, over: over.signal }),
        end,
      ])
      if (!heard) throw new Refusal('unavailable')
      if (!heard.ok) throw new Refusal(heard.code, heard.field === undefined ? {} : { field: heard.field })
    } finally {
      listeners.delete(asking)
      over.abort()
    }
  }

  async function listen(): Promise<void> {
    stopListening ??= await bus.listen(self.edgeId, onReply)
  }

  return {
    async start() {
      const deaf = (err: unknown) => log.warn({ err }, 'replies to requests over REST are not heard yet')
      await listen().catch(deaf)
      // Without replies each request still looks for its outcome.
      stopTrying = createTimers().every(requestMs, listen, deaf)
    },
    async stop() {
      await Promise.allSettled(underWay.values())
      await stopTrying?.()
      await stopListening?.()
    },
    ask(change, asker) {
      const same = underWay.get(asker.requestId)
      if (same) return same
      if (underWay.size >= maxWaiting) return Promise.reject(new Refusal('overloaded'))
      const asked = perform(change, asker).finally(() => underWay.delete(asker.requestId))
      underWay.set(asker.requestId, asked)
      return asked
    },
    get waiting() {
      return underWay.size
    },
  }
}

const isFinal = (outcome: Outcome): boolean => outcome.ok || !errorCodes[outcome.code].retryable

function refusalIn(body: Uint8Array): Heard {
  const { code, field } = JSON.parse(Buffer.from(body).toString('utf8')) as { code?: unknown; field?: unknown }
  return {
    ok: false,
    code: typeof code === 'string' && isErrorCode(code) ? code : 'internal',
    ...(typeof field === 'string' && { field }),
  }
}
