import { Unavailable } from '@chatbox/core'
import type { Layout } from './layout.ts'
import type { Node } from './node.ts'

export interface ChannelListener {
  message(payload: Buffer): void
  /** Something may have been missed. */
  gap(): void
}

/** The channels of all servers, each subscribed to once, however many listen. */
export interface Channels {
  /** Resolves when what is published from now on will be heard. */
  subscribe(channel: string, listener: ChannelListener): Promise<() => void>
  message(node: Node, channel: string, payload: Buffer): void
  /** A connection stands anew: its channels are subscribed to again, and those who listen are told. */
  up(node: Node): void
  /** The server gave channels away: those that it does not give us any more are subscribed to again, wherever they are now. */
  takenFrom(node: Node): void
  /** Keys may have other servers: channels follow them. */
  rearranged(): void
  close(): void
  readonly size: number
}

interface Topic {
  readonly channel: string
  readonly listeners: Set<ChannelListener>
  /** None while no server is known to have it. */
  node: Node | undefined
  hearing: Promise<void> | undefined
  /** It was subscribed to once: whoever listens counts on it. */
  heard: boolean
  /** It was not heard for a while, and those who listen do not know yet. */
  missed: boolean
  lingering: NodeJS.Timeout | undefined
}

export function createChannels(layout: () => Layout, lingerMs: number, retryMs: number): Channels {
  const topics = new Map<string, Topic>()
  const retries = new Set<NodeJS.Timeout>()

  function drop(topic: Topic): void {
    if (topics.get(topic.channel) !== topic) return
    topics.delete(topic.channel)
    topic.node?.ear().leave(topic.channel)
  }

  function serverOf(channel: string): Node | undefined {
    try {
      return layout().nodeOf(channel)
    } catch (error) {
      if (error instanceof Unavailable) return undefined
      throw error
    }
  }

  /** Where it is now; what another server still says about it is of no account. */
  function settle(topic: Topic): Node {
    const node = serverOf(topic.channel)
    if (topic.node && topic.node !== node) topic.node.ear().leave(topic.channel)
    topic.node = node
    if (!node) throw new Unavailable('no server is known to have this channel')
    return node
  }

  function listen(topic: Topic): Promise<void> {
    const hearing = (async () => settle(topic).ear().hear(topic.channel))()
    topic.hearing = hearing
    hearing.then(
      () => {
        if (topic.hearing !== hearing) return
        topic.heard = true
        if (!topic.missed) return
        topic.missed = false
        for (const listener of topic.listeners) listener.gap()
      },
      // Whoever comes next tries anew.
      () => {
        if (topic.hearing === hearing) topic.hearing = undefined
      },
    )
    return hearing
  }

  /** Listens again until it has worked, by this or by somebody who comes meanwhile; then those who listen are told. */
  function resume(topic: Topic): void {
    topic.missed = true
    listen(topic).catch(() => {
      const timer = setTimeout(() => {
        retries.delete(timer)
        if (topics.get(topic.channel) === topic && topic.missed && topic.hearing === undefined) resume(topic)
      }, retryMs).unref()
      retries.add(timer)
    })
  }

  function leave(topic: Topic, listener: ChannelListener): void {
    topic.listeners.delete(listener)
    if (topic.listeners.size > 0 || topic.lingering) return
    topic.lingering = setTimeout(() => drop(topic), lingerMs).unref()
  }

  function topicOf(channel: string): Topic {
    const known = topics.get(channel)
    if (known) return known
    const topic: Topic = {
      channel,
      listeners: new Set(),
      node: layout().nodeOf(channel),
      hearing: undefined,
      heard: false,
      missed: false,
      lingering: undefined,
    }
    topics.set(channel, topic)
    return topic
  }

  return {
    async subscribe(channel, listener) {
      const topic = topicOf(channel)
      clearTimeout(topic.lingering)
      topic.lingering = undefined
      // Its own object, so that one listener may come twice.
      const own: ChannelListener = { message: (payload) => listener.message(payload), gap: () => listener.gap() }
      topic.listeners.add(own)
      try {
        await (topic.hearing ?? listen(topic))
        if (!topic.listeners.has(own)) throw new Unavailable('the channels were closed')
      } catch (error) {
        leave(topic, own)
        throw error
      }
      return () => leave(topic, own)
    },
    message(node, channel, payload) {
      const topic = topics.get(channel)
      if (topic?.node !== node) return
      // Most have one listener; several must not see what one of them does to the bytes.
      let first = true
      for (const listener of topic.listeners) {
        listener.message(first ? payload : Buffer.from(payload))
        first = false
      }
    },
    up(node) {
      for (const topic of topics.values()) if (topic.node === node && topic.heard) resume(topic)
    },
    takenFrom(node) {
      const given = node.ear().heard()
      for (const topic of topics.values()) {
        if (topic.node === node && topic.heard && !given.has(topic.channel)) resume(topic)
      }
    },
    rearranged() {
      for (const topic of topics.values()) if (serverOf(topic.channel) !== topic.node) resume(topic)
    },
    close() {
      for (const topic of topics.values()) {
        clearTimeout(topic.lingering)
        topic.listeners.clear()
      }
      for (const timer of retries) clearTimeout(timer)
      topics.clear()
    },
    get size() {
      return topics.size
    },
  }
}
