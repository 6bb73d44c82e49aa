import { type SessionId, Unopenable } from '@chatbox/core'
import { KEY_TTL_MS } from '../conversations/index.ts'
import type { Keyring } from '../keyring.ts'
import { each, pace } from './pace.ts'
import { type RotationConversations, rotationOfSession } from './session.ts'

export type { RotationConversations }

export interface RotateOptions {
  readonly conversations: RotationConversations
  readonly keyring: Keyring
  /**
   * Whether values are sealed anew, too, by data keys that no other key of the ring has ever wrapped. Needed where a key of the ring may
   * have leaked together with a copy of the database; without it only the wrapping changes. Default false.
   */
  readonly values?: boolean
  /** So many calls of the database a second at most. By default as many as it answers. */
  readonly perSecond?: number
  /** So many sessions at once. Default 4. */
  readonly atOnce?: number
  /** The longest `keyTtlMs` of all processes that use this database. Default 10 minutes, as theirs. */
  readonly keyTtlMs?: number
  /** Called after each session. */
  readonly onProgress?: (progress: RotationProgress) => void
  /** A session that does not open, or of which something does not; it may be named more than once. */
  readonly onUnopenable?: (sid: SessionId) => void
  /** Ends it between two calls of the database; it then rejects with the signal's reason, and another run goes on. */
  readonly signal?: AbortSignal
  /** The time, which other machines' clocks may differ from by `keyTtlMs` at most. */
  readonly now?: () => number
}

export interface RotationProgress {
  /** Sessions whose keys were wrapped by the current key of the ring. */
  readonly rewrapped: number
  /** Values that were sealed anew. */
  readonly resealed: number
  /** Sessions that have lost all data keys but the new one. */
  readonly finished: number
  /** Sessions of which something does not open. They stay as they are, under the keys that they have. */
  readonly unopenable: number
  /** Sessions that are still to be looked at, must wait, or do not open. */
  readonly left: number
  /** The time from when on another run can finish those that must wait. */
  readonly waitUntil?: number
}

export type RotationReport = RotationProgress

const PAGE = 100
const AT_ONCE = 4

/**
 * Brings all sessions under the current key of the ring. Safe beside everything that reads and writes, and beside itself; what is done is
 * in the rows, so that another run goes on wherever one ended. The old keys can go when `left` is 0; with `values` that takes a second
 * run after `waitUntil` (decision 11).
 */
export async function rotate(options: RotateOptions): Promise<RotationReport> {
  const { keyring, values = false, perSecond, atOnce = AT_ONCE, keyTtlMs = KEY_TTL_MS, signal } = options
  const { onProgress, onUnopenable, now = Date.now } = options
  const conversations = paced(options.conversations, pace({ perSecond, signal }))
  const session = rotationOfSession(conversations, keyring, { keyTtlMs, now })

  const done = { rewrapped: 0, resealed: 0, finished: 0 }
  /** Of those under other keys, and of those under the current one. */
  const broken = { others: 0, current: 0 }
  let waiting = 0
  let waitUntil = 0
  let unseen = 0
  const progress = (): RotationProgress => ({
    ...done,
    unopenable: broken.others + broken.current,
    left: unseen + waiting + broken.others + broken.current,
    ...(waiting > 0 && { waitUntil }),
  })

  /** All sessions that are wrapped by this key. One that does not open keeps nobody else waiting. */
  async function eachOf(keyId: string, work: (sid: SessionId) => Promise<void>, onBroken: () => void): Promise<void> {
    for (let after: SessionId | undefined; ; ) {
      const page = await conversations.keyedBy(keyId, PAGE, after)
      await each(page, atOnce, async (sid) => {
        try {
          await work(sid)
        } catch (error) {
          if (!(error instanceof Unopenable)) throw error
          onBroken()
          onUnopenable?.(sid)
        }
        unseen = Math.max(0, unseen - 1)
        onProgress?.(progress())
      })
      if (page.length < PAGE) return
      after = page.at(-1)
    }
  }

  const others = async () => [...(await conversations.keysInUse())].filter(([id]) => id !== keyring.currentId)
  const sum = (counts: readonly (readonly [string, number])[]) => counts.reduce((all, [, count]) => all + count, 0)

  // Again while it finds some: a process that does not know yet which key is current may make sessions meanwhile.
  for (let changed = true; changed; ) {
    const found = await others()
    if (sum(found) <= broken.others) break
    changed = false
    broken.others = 0
    unseen = sum(found)
    for (const [keyId] of found) {
      const rewrap = async (sid: SessionId) => {
        if ((await session.rewrap(sid)) !== 'rewrapped') return
        done.rewrapped += 1
        changed = true
      }
      await eachOf(keyId, rewrap, () => {
        broken.others += 1
      })
    }
  }

  if (values) {
    unseen = (await conversations.keysInUse()).get(keyring.currentId) ?? 0
    const onBroken = () => {
      broken.current += 1
    }
    const renew = async (sid: SessionId) => {
      const renewed = await session.renew(sid, (count) => {
        done.resealed += count
      })
      if (renewed.kind === 'finished') done.finished += 1
      if (renewed.kind === 'broken') throw new Unopenable('a value of a session does not open')
      if (renewed.kind !== 'waiting') return
      waiting += 1
      waitUntil = Math.max(waitUntil, renewed.until)
    }
    await eachOf(keyring.currentId, renew, onBroken)
  }
  // What was made under another key while the values were sealed anew.
  unseen = Math.max(0, sum(await others()) - broken.others)
  const report = progress()
  onProgress?.(report)
  return report
}

function paced(inner: RotationConversations, next: () => Promise<void>): RotationConversations {
  return {
    session: (...given) => next().then(() => inner.session(...given)),
    turn: (...given) => next().then(() => inner.turn(...given)),
    turns: (...given) => next().then(() => inner.turns(...given)),
    keysInUse: () => next().then(() => inner.keysInUse()),
    keyedBy: (...given) => next().then(() => inner.keyedBy(...given)),
    changeKey: (...given) => next().then(() => inner.changeKey(...given)),
    resealNames: (...given) => next().then(() => inner.resealNames(...given)),
    resealTurn: (...given) => next().then(() => inner.resealTurn(...given)),
  }
}
