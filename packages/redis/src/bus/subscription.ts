import { type BusListener, type EventHeader, type Position, sameLog, type UserId } from '@chatbox/core'
import type { ChannelListener } from '../connection/channels.ts'
import { packetOf } from '../packets.ts'
import { heard } from './heard.ts'

/** One listener of one user's events. */
export interface Subscription extends ChannelListener {
  readonly uid: UserId
  /** The newest logged event that was heard. */
  readonly last: Position | undefined
  /** Told what the log's top is (R25). What differs twice in a row was not heard. */
  compare(top: Position): void
  end(): void
}

export function subscription(
  uid: UserId,
  listener: BusListener,
  heardRun: () => string | undefined,
  onError: (error: unknown) => void,
): Subscription {
  let last: Position | undefined
  let doubt: Position | undefined
  let ended = false

  function gap(): void {
    if (ended) return
    doubt = undefined
    try {
      listener.gap()
    } catch (error) {
      onError(error)
    }
  }

  return {
    uid,
    get last() {
      return last
    },
    message(payload) {
      if (ended) return
      // The log was forgotten, and another has begun.
      if (payload.length === 0) return gap()
      try {
        const { position, packet } = heard(payload)
        const event = packetOf<EventHeader>(packet)
        if (position) last = position
        // Published by somebody who is connected to another server, or to another life of this one (R24).
        if (position && position.run !== heardRun()) return gap()
        listener.event(event, position)
      } catch (error) {
        onError(error)
        gap()
      }
    },
    gap,
    compare(top) {
      // What was there before it listened was never to be heard.
      last ??= top
      if (same(top, last)) doubt = undefined
      // An event may be on its way; one that has not come by the next time never will.
      else if (!same(doubt, last)) doubt = last
      else {
        last = top
        gap()
      }
    },
    end() {
      ended = true
    },
  }
}

const same = (a: Position | undefined, b: Position): boolean =>
  a !== undefined && a.offset === b.offset && sameLog(a, b)
