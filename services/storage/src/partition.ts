import {
  type Done,
  decodeEntry,
  type Entry,
  type EntryBody,
  type EntrySource,
  encodeOutcome,
  type Lease,
  Refusal,
  type ReplyTo,
  type RequestId,
} from '@chatbox/core'
import { type ErrorCode, encodeFrame, errorFrameOf } from '@chatbox/protocol'
import { apply } from './apply.ts'
import { chains } from './chains.ts'
import type { StorageDeps, StoragePolicy, StorageTimes } from './deps.ts'
import { insistence } from './insist.ts'
import { retainPartition } from './retention.ts'
import { type SessionStates, whileOwned } from './session-states.ts'
import { sweepPartition } from './sweeper.ts'
import { tellWhatIsStored } from './told-late.ts'
import { LostPartition, type Work } from './work.ts'

/** Entries of one partition that may be under way at once. */
const MAX_UNDER_WAY = 500
const BATCH = 200
/** An entry that was begun this often without an end is put aside (R7). */
const MAX_TRIES = 3

export interface OwnedPartition {
  /** Settles when the partition was left, by `stop` or because it was lost. */
  readonly ended: Promise<void>
  /** Reads no more and finishes what is under way. */
  stop(): Promise<void>
  /** Leaves what is under way to the next owner too. */
  abandon(reason: unknown): void
  readonly underWay: number
}

export function ownPartition(
  deps: StorageDeps,
  lease: Lease,
  states: SessionStates,
  times: StorageTimes,
  policy: StoragePolicy,
): OwnedPartition {
  const { fabric, metrics } = deps
  const log = deps.log.child({ partition: lease.partition, gen: lease.gen })
  const reading = new AbortController()
  const lost = new AbortController()
  const tasks = chains(MAX_UNDER_WAY)
  const tellings = new Set<Promise<void>>()
  /** What the log's clock showed, and when: this machine's own may be wrong, or be set anew (R11). */
  let told = { ms: Date.now(), at: performance.now() }
  const tellTime = (ms: number) => {
    told = { ms, at: performance.now() }
  }

  const work: Work = {
    partition: lease.partition,
    gen: lease.gen,
    conversations: deps.conversations,
    audit: deps.audit,
    aliasOf: deps.aliasOf,
    tokensPerDay: policy.tokensPerDay,
    fabric,
    states: whileOwned(states, lost.signal),
    models: deps.models,
    answerLimits: deps.answerLimits,
    log,
    metrics,
    now: () => told.ms + Math.floor(performance.now() - told.at),
    insist: insistence({ log, signal: lost.signal, now: () => work.now(), metrics }),
  }

  const leave = (why: unknown) => {
    if (why instanceof LostPartition) log.warn({ err: why }, 'partition lost')
    lost.abort(why)
    reading.abort(why)
  }

  const reply = async (to: ReplyTo | undefined, entry: EntryBody, code?: ErrorCode, field?: string) => {
    if (!to) return
    const header = { target: to.connectionId, requestId: to.requestId }
    if (code === undefined) return fabric.bus.reply(to.edgeId, { header, body: new Uint8Array() })
    const frame = errorFrameOf(code, to.requestId, {
      ...('sid' in entry && { sid: entry.sid }),
      ...(entry.kind === 'send' && { clientMessageId: entry.said.cmid }),
      ...(field !== undefined && { field }),
    })
    await fabric.bus.reply(to.edgeId, { header: { ...header, type: 'error' }, body: encodeFrame(frame) })
  }

  /** A reply that is lost is made up for by the asker's own time limit (P8). */
  const tell = (...args: Parameters<typeof reply>) =>
    reply(...args).catch((err) => log.warn({ err, requestId: args[1].requestId }, 'a reply was not sent'))

  /**
   * Whoever is told may ask for the same again at once, and is to find the outcome then (R9). The user's next entry does not wait for it.
   */
  function tellAfter(removed: Promise<void>, ...args: Parameters<typeof reply>): void {
    const telling = removed.then(() => tell(...args)).finally(() => tellings.delete(telling))
    tellings.add(telling)
  }

  async function handle(source: Removing, entry: Entry, body: EntryBody): Promise<void> {
    const { requestId } = body
    try {
      if (entry.tries > MAX_TRIES) throw new Error(`begun ${entry.tries} times without an end`)
      const expired = entry.until !== undefined && work.now() > entry.until
      const triedBefore = entry.tries > 1
      // `expired` says that it never happens, and who has begun before may have done it (R9).
      if (expired && !goesOn(body, triedBefore)) {
        if (triedBefore) await tellWhatIsStored(work, body)
        throw new Refusal(triedBefore ? 'unavailable' : 'expired')
      }
      await apply(work, body, { until: entry.until, triedBefore })
      const removed = source.remove({ id: entry.id, outcome: encodeOutcome(requestId, { ok: true }) })
      tellAfter(removed, body.replyTo, body)
    } catch (error) {
      if (lost.signal.aborted || error instanceof LostPartition) return leave(error)
      if (error instanceof Refusal) {
        metrics.refused.inc({ kind: body.kind, code: error.code })
        const removed = source.remove({
          id: entry.id,
          outcome: encodeOutcome(requestId, { ok: false, code: error.code }),
        })
        return tellAfter(removed, body.replyTo, body, error.code, error.field)
      }
      if ('sid' in body) states.forget(body.sid)
      metrics.buried.inc({ kind: body.kind })
      log.error({ err: error, kind: body.kind, requestId, tries: entry.tries }, 'an entry was put aside')
      await work.insist('bury', () => source.bury(entry.id, 'failed', requestId))
      await tell(body.replyTo, body, 'internal')
    }
  }

  async function run(): Promise<void> {
    const source = removing(await work.insist('own', () => fabric.ingest.own(lease.partition)), work)
    const timers: { stop(): void }[] = []
    const untilStopped = insistence({ log, signal: reading.signal, now: work.now, metrics })
    try {
      // Perhaps there is nothing to read for a long time.
      tellTime(await untilStopped('read the clock', () => fabric.ingest.now()))
      timers.push(sweepPartition(work, tasks, times), retainPartition(work, tasks, times, policy))
      while (!reading.signal.aborted) {
        await tasks.room()
        const { entries, now } = await source.read(BATCH, reading.signal)
        tellTime(now)
        for (const entry of entries) {
          const body = decodeEntry(entry.packet)
          metrics.entries.inc({ kind: body.kind })
          // One that crashed its reader may do so again: nothing else shall go down with it (R7).
          if (entry.tries > 1) await tasks.idle()
          tasks.run(body.uid, () => handle(source, entry, body))
          if (entry.tries > 1) await tasks.idle()
        }
      }
    } catch (error) {
      if (!reading.signal.aborted) {
        log.error({ err: error }, 'reading the ingest log failed')
        leave(error)
      }
    } finally {
      for (const timer of timers) timer.stop()
      await tasks.idle()
      await source.close().catch((err) => log.warn({ err }, 'closing the ingest log failed'))
      await Promise.all(tellings)
    }
  }

  const ended = run()
  return {
    ended,
    stop() {
      reading.abort(new Error('stopping'))
      return ended
    },
    abandon: leave,
    get underWay() {
      return tasks.size
    },
  }
}

/**
 * What is done past its time all the same: a message looks for itself, because it may be a repetition; and an erasure that has begun
 * must not stay half done, with nobody to come back to it (R22).
 */
const goesOn = ({ kind }: EntryBody, triedBefore: boolean): boolean =>
  kind === 'send' || (triedBefore && (kind === 'user.erase' || kind === 'session.erase'))

type Removing = ReturnType<typeof removing>

/** Collects what is done within one turn of the event loop into one removal. */
function removing(source: EntrySource, work: Work) {
  let done: Done[] = []
  let flushed: Promise<void> = Promise.resolve()
  const flush = () => {
    const batch = done
    done = []
    return work.insist('remove entries', () => source.remove(batch))
  }
  return {
    read: source.read,
    /** Resolves when it is done, or was given up. */
    remove(entry: Done): Promise<void> {
      if (done.push(entry) > 1) return flushed
      flushed = flushed
        .then(() => new Promise(setImmediate))
        .then(flush)
        // What stays is done again by the next owner, and changes nothing then (R8).
        .catch((err) => work.log.warn({ err }, 'entries that were done stay in the log'))
      return flushed
    },
    bury: (id: string, reason: string, requestId: RequestId) =>
      source.bury(id, reason, encodeOutcome(requestId, { ok: false, code: 'internal' })),
    async close() {
      await flushed
      await source.close()
    },
  }
}
