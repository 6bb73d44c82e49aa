import type { Fabric, UserId } from '@chatbox/core'
import type { Logger } from '@chatbox/runtime'
import { type Feed, type FeedMember, openFeed } from './feed.ts'

/** One feed per user who has a device here, made with the first and ended with the last. */
export interface Feeds {
  join(uid: UserId, member: FeedMember): Promise<Feed>
  leave(feed: Feed, member: FeedMember): void
  close(): Promise<void>
  readonly size: number
}

export function feeds(fabric: Pick<Fabric, 'bus' | 'answers'>, log: Logger): Feeds {
  const open = new Map<UserId, Promise<Feed>>()

  function end(uid: UserId, feed: Feed): Promise<void> {
    open.delete(uid)
    return feed.close().catch((err) => log.warn({ err }, 'a subscription could not be ended'))
  }

  return {
    async join(uid, member) {
      for (;;) {
        const opening = open.get(uid) ?? openFeed(uid, fabric, log)
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
        feed.add(member)
        return feed
      }
    },
    leave(feed, member) {
      if (!feed.remove(member)) void end(feed.uid, feed)
    },
    async close() {
      await Promise.all(
        [...open].map(async ([uid, opening]) => {
          const feed = await opening.catch(() => undefined)
          if (feed) await end(uid, feed)
        }),
      )
    },
    get size() {
      return open.size
    },
  }
}
