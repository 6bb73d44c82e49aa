import { type Fabric, type Position, Unavailable, type UserId } from '@chatbox/core'
import type { Logger } from '@chatbox/runtime'
import { type Feed, type FeedMember, openFeed } from './feed.ts'
import { turns } from './turns.ts'

/** One feed per user who has a device here, made with the first and ended with the last. */
export interface Feeds {
  /** `after`: where this device was, which a feed that is opened for it asks first. */
  join(uid: UserId, member: FeedMember, after?: Position): Promise<Feed>
  leave(feed: Feed, member: FeedMember): void
  /** Ends all of them, and waits for those that were ending. Nobody can join any more. */
  close(): Promise<void>
  readonly size: number
  /** Logs that are read again after a gap, or wait for it, and devices that wait to be repaired. */
  readonly recoveries: number
}

/** Logs that are read at once after a gap: enough to be quick, few enough to leave the store to those who come and write. */
const RECOVERIES = 50

export function feeds(
  fabric: Pick<Fabric, 'bus' | 'answers'>,
  log: Logger,
  onGap: () => void = () => undefined,
): Feeds {
  const open = new Map<UserId, Promise<Feed>>()
  const recoveries = turns(RECOVERIES)
  /** Feeds that somebody joined, by what they were opened by. */
  const openings = new WeakMap<Feed, Promise<Feed>>()
  const ending = new Set<Promise<void>>()
  let closed = false

  function end(feed: Feed): void {
    // Another one may have been opened for this user by now.
    if (open.get(feed.uid) === openings.get(feed)) open.delete(feed.uid)
    const ended = feed
      .close()
      .catch((err) => log.warn({ err }, 'a subscription could not be ended'))
      .finally(() => ending.delete(ended))
    ending.add(ended)
  }

  return {
    async join(uid, member, after) {
      for (;;) {
        if (closed) throw new Unavailable('this edge is going away')
        const opening = open.get(uid) ?? openFeed(uid, fabric, log, { recoveries, onGap }, after)
        open.set(uid, opening)
        let feed: Feed
        try {
          feed = await opening
        } catch (error) {
          if (open.get(uid) === opening) open.delete(uid)
          throw error
        }
        // The last device may have left while we waited.
        if (open.get(uid) !== opening) continue
        openings.set(feed, opening)
        feed.add(member)
        return feed
      }
    },
    leave(feed, member) {
      if (!feed.remove(member)) end(feed)
    },
    async close() {
      closed = true
      for (const [uid, opening] of [...open]) {
        open.delete(uid)
        const feed = await opening.catch(() => undefined)
        if (feed) end(feed)
      }
      await Promise.all(ending)
    },
    get size() {
      return open.size
    },
    get recoveries() {
      return recoveries.size
    },
  }
}
