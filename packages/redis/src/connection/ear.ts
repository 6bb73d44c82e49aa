import { randomBytes } from 'node:crypto'
import { Unavailable } from '@chatbox/core'
import { Redis } from 'ioredis'
import type { ConnectionOptions, ConnectionTimes } from './options.ts'
import { runOf } from './run.ts'
import { wakeable } from './wake.ts'

/** The one connection to a server that all channels of this process there are heard on. */
export interface Ear {
  /** The server's life that this connection is to. */
  readonly run: string | undefined
  /** Resolves when what is published from now on will be heard. */
  hear(channel: string): Promise<void>
  leave(channel: string): void
  /** The channels that the server gives us now. */
  heard(): ReadonlySet<string>
  close(): void
}

export interface EarEvents {
  message(channel: string, payload: Buffer): void
  /** A connection stands, and hears nothing yet. */
  up(): void
  /** The server gave channels away: the cluster's layout has changed. Told once for those that go together. */
  moved(): void
  /** What was published was not heard in time; the connection is made anew. */
  deaf(): void
}

export interface EarDeps {
  readonly options: ConnectionOptions
  readonly times: ConnectionTimes
  /** A channel that this server serves, to speak to oneself on. */
  probeChannel(): string | undefined
  publish(channel: string, payload: string): Promise<unknown>
}

/** What is given away together is told of within this time. */
const MOVING_MS = 50

export function createEar({ options, times, probeChannel, publish }: EarDeps, events: EarEvents): Ear {
  const redis = new Redis(options)
  const self = randomBytes(9).toString('base64url')
  const waiting = wakeable()
  let run: string | undefined
  let lastError: unknown
  let closed = false
  /** Counts the connections. */
  let connection = 0
  let probing: string | undefined
  let heard: (() => void) | undefined
  let moving: NodeJS.Timeout | undefined

  redis.on('ready', () => {
    runOf(redis)
      .then(({ id }) => {
        run = id
        probing = undefined
        events.up()
        waiting.all()
      })
      .catch((error: unknown) => {
        lastError = error
        if (!closed) redis.disconnect(true)
      })
  })
  redis.on('close', () => {
    run = undefined
    connection += 1
  })
  // Told by the connection for commands, which has the same one; here only whoever waits learns of it.
  redis.on('error', (error) => {
    lastError = error
  })
  // One is told of each channel, and not which; a slot has as many as it has users.
  redis.on('moved', () => {
    moving ??= setTimeout(() => {
      moving = undefined
      events.moved()
    }, MOVING_MS).unref()
  })
  redis.on('smessageBuffer', (name: Buffer, payload: Buffer) => {
    const channel = name.toString('latin1')
    if (channel === probing) heard?.()
    else events.message(channel, payload)
  })

  /**
   * A subscriber can lose its server without noticing. What it would miss is what it is asked to hear: a word of its own, sent on the
   * other connection.
   */
  async function probe(): Promise<void> {
    const asked = connection
    if (run === undefined) return
    const channel = probeChannel()
    if (channel === undefined) return
    const word = `${channel}${self}`
    if (probing !== word) {
      if (probing !== undefined) await redis.sunsubscribe(probing)
      await redis.ssubscribe(word)
      probing = word
    }
    const answer = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), times.probeTimeoutMs)
      heard = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
    try {
      await publish(word, '')
    } catch {
      // Whether it was published is not known, so nothing follows from silence.
      heard?.()
    }
    // A connection that was made since has not been asked yet.
    if ((await answer) || closed || asked !== connection) return
    reconnect()
    events.deaf()
  }

  function reconnect(): void {
    run = undefined
    redis.disconnect(true)
  }

  let timer: NodeJS.Timeout
  const probeLater = () => {
    timer = setTimeout(() => {
      probe()
        .catch(() => !closed && run !== undefined && reconnect())
        .finally(() => closed || probeLater())
    }, times.probeMs).unref()
  }
  probeLater()
  redis.connect().catch(() => undefined)

  return {
    get run() {
      return run
    },
    async hear(channel) {
      // It may be the first channel, of which the connection is made.
      if (run === undefined) await waiting.wait(AbortSignal.timeout(times.commandMs), () => lastError)
      try {
        await redis.ssubscribe(channel)
      } catch (error) {
        throw new Unavailable('a channel could not be subscribed to', { cause: error })
      }
    },
    leave(channel) {
      if (run !== undefined) redis.sunsubscribe(channel).catch(() => undefined)
    },
    heard() {
      const subscriber = redis.condition?.subscriber
      return new Set(subscriber ? subscriber.channels('ssubscribe') : [])
    },
    close() {
      closed = true
      clearTimeout(timer)
      clearTimeout(moving)
      heard?.()
      redis.disconnect()
    },
  }
}
