import type { ServerFrameOf, SpokenView } from '@chatbox/protocol'
import type { OutgoingMessage, Sending } from './api.ts'
import { jittered } from './backoff.ts'
import { remember } from './bounded.ts'
import { ChatError, localError } from './errors.ts'
import { ID, randomId } from './ids.ts'
import { type Cancel, later } from './later.ts'
import type { Tuning } from './tuning.ts'

export interface OutboxOptions {
  readonly resendAfterMs: number
  readonly tuning: Tuning
  readonly random: () => number
  /** The largest frame the server takes, in bytes. */
  frameLimit(): number
  /** False when there is no connection. */
  transmit(frame: string): boolean
}

/** Holds each message until the server has accepted or refused it. */
export interface Outbox {
  add(message: OutgoingMessage): Sending
  /** There is a new connection: whatever waits is sent again, with the same id. */
  opened(): void
  closed(): void
  /** A `message` came, perhaps one of ours. */
  accepted(view: SpokenView): void
  /** Whether the error was about one of ours. */
  refused(frame: ServerFrameOf<'error'>): boolean
  /** Gives all of them up. */
  clear(error: ChatError): void
}

interface Item {
  readonly clientMessageId: string
  readonly body: string
  readonly sending: Sending
  lane: Lane
  /** Copies sent over this connection, and retryable errors so far. */
  copies: number
  errors: number
  notBefore: number
  resolve(view: SpokenView): void
  reject(error: ChatError): void
}

/** One session's messages. Only the first is on its way, so that they are accepted in the order of their sending. */
interface Lane {
  key: string
  sid: string | undefined
  readonly items: Item[]
  cancel: Cancel
}

const MAX_NEW_CHATS = 100
const encoder = new TextEncoder()

export function createOutbox(options: OutboxOptions): Outbox {
  const { tuning, random } = options
  const items = new Map<string, Item>()
  const lanes = new Map<string, Lane>()
  /** The sessions that came of `newChat` keys. */
  const chats = new Map<string, string>()

  const laneOf = (message: OutgoingMessage, clientMessageId: string): Lane => {
    const { newChat } = message
    const sid = message.sid ?? (newChat === undefined ? undefined : chats.get(newChat))
    const key = sid !== undefined ? sidKey(sid) : newChat !== undefined ? `new:${newChat}` : `one:${clientMessageId}`
    const lane = lanes.get(key) ?? { key, sid, items: [], cancel: () => undefined }
    lanes.set(key, lane)
    return lane
  }

  const pump = (lane: Lane): void => {
    lane.cancel()
    const head = lane.items[0]
    if (!head) {
      lanes.delete(lane.key)
      return
    }
    const early = head.notBefore - Date.now()
    if (early > 0) {
      lane.cancel = later(early, () => pump(lane))
      return
    }
    const frame = frameOf(head, lane.sid)
    if (encoder.encode(frame).length > options.frameLimit()) {
      // The server could not even tell whose frame it was, so this would be sent for ever.
      remove(head).reject(localError('too_large', 'This message is too large.', false))
      return
    }
    if (!options.transmit(frame)) return
    const patience = options.resendAfterMs * 2 ** Math.min(head.copies++, 10)
    lane.cancel = later(Math.min(patience, Math.max(options.resendAfterMs, tuning.backoffCapMs)), () => pump(lane))
  }

  const remove = (item: Item): Item => {
    items.delete(item.clientMessageId)
    const { lane } = item
    const place = lane.items.indexOf(item)
    lane.items.splice(place, 1)
    if (place === 0) pump(lane)
    return item
  }

  /** The chat that was new has its session now: those who wait for it go there. */
  const name = (lane: Lane, sid: string) => {
    if (lane.key.startsWith('new:')) remember(chats, lane.key.slice(4), sid, MAX_NEW_CHATS)
    lanes.delete(lane.key)
    lane.sid = sid
    const other = lanes.get(sidKey(sid))
    if (other) {
      for (const item of lane.items.splice(1)) {
        item.lane = other
        other.items.push(item)
      }
      return
    }
    lane.key = sidKey(sid)
    lanes.set(lane.key, lane)
  }

  return {
    add(message) {
      const clientMessageId = message.clientMessageId ?? randomId()
      const { text, files, modelId, metadata } = message
      const body = JSON.stringify({ clientMessageId, text, files, modelId, metadata })
      const known = items.get(clientMessageId)
      if (known?.body === body) return known.sending
      if (known) return lost(clientMessageId, 'conflict', 'Another message with this id waits to be sent.', false)
      if (!ID.test(clientMessageId)) return lost(clientMessageId, 'invalid_frame', 'This id is not allowed.', false)
      if (items.size >= tuning.maxPending) {
        return lost(clientMessageId, 'overloaded', 'Too many messages wait to be sent.', true)
      }

      const lane = laneOf(message, clientMessageId)
      const { promise, resolve, reject } = deferred<SpokenView>()
      const sending: Sending = {
        clientMessageId,
        accepted: promise,
        abandon() {
          if (items.get(clientMessageId) !== item) return
          remove(item).reject(localError('abandoned', 'This message is no longer being sent.', false))
        },
      }
      const item: Item = { clientMessageId, body, sending, lane, copies: 0, errors: 0, notBefore: 0, resolve, reject }
      items.set(clientMessageId, item)
      lane.items.push(item)
      if (lane.items.length === 1) pump(lane)
      return sending
    },
    opened() {
      for (const lane of [...lanes.values()]) {
        const head = lane.items[0]
        if (head) head.copies = 0
        pump(lane)
      }
    },
    closed() {
      for (const lane of lanes.values()) lane.cancel()
    },
    accepted(view) {
      const item = view.clientMessageId === undefined ? undefined : items.get(view.clientMessageId)
      if (!item || view.author === 'system') return
      if (item.lane.sid === undefined && item.lane.items[0] === item) name(item.lane, view.sid)
      remove(item).resolve(view)
    },
    refused(frame) {
      const item = frame.clientMessageId === undefined ? undefined : items.get(frame.clientMessageId)
      if (!item) return false
      // An expired token is no fault of the message: a new one is under way.
      if (frame.retryable || frame.code === 'token_expired') {
        item.notBefore = Date.now() + (frame.retryAfterMs ?? jittered(item.errors++, tuning, random))
        if (item.lane.items[0] === item) pump(item.lane)
      } else remove(item).reject(new ChatError(frame))
      return true
    },
    clear(error) {
      for (const lane of lanes.values()) lane.cancel()
      const all = [...items.values()]
      items.clear()
      lanes.clear()
      chats.clear()
      for (const item of all) item.reject(error)
    },
  }
}

const sidKey = (sid: string) => `sid:${sid}`

const frameOf = (item: Item, sid: string | undefined): string =>
  `{"type":"message.send",${sid === undefined ? '' : `"sid":${JSON.stringify(sid)},`}${item.body.slice(1)}`

function lost(clientMessageId: string, code: ChatError['code'], message: string, retryable: boolean): Sending {
  const { promise, reject } = deferred<SpokenView>()
  reject(new ChatError({ code, message, retryable }))
  return { clientMessageId, accepted: promise, abandon: () => undefined }
}

function deferred<T>() {
  let resolve: (value: T) => void = () => undefined
  let reject: (error: ChatError) => void = () => undefined
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  // Who doesn't look at `accepted` must not be killed by a rejection that nobody handles.
  promise.catch(() => undefined)
  return { promise, resolve, reject }
}
