import { setTimeout as pause } from 'node:timers/promises'
import { becomes } from '../../lib/clock.ts'
import type { Delays, Heard, Tally } from '../tally.ts'

export interface Beginning {
  readonly streams: number
  readonly perSecond: number
}

export interface Over {
  readonly whole: number
  readonly broken: number
}

/** A process of clients that each listen to one stream. */
export interface Listeners {
  /** Begins so many streams, at that rate. Resolves when all have begun to speak, with false when they don't in time. */
  begin(beginning: Beginning): Promise<boolean>
  /** Begins to count anew. */
  mark(none: undefined): void
  heard(none: undefined): Heard
  firsts(none: undefined): Delays
  /** Resolves when all streams have ended, or when that takes too long. */
  over(none: undefined): Promise<Over>
}

/** One client. */
export interface Listener {
  /** Asks for an answer. */
  ask(): void
  state: 'idle' | 'asked' | 'speaking' | 'whole' | 'broken'
}

const SPEAKS_WITHIN_MS = 30_000
const ENDS_WITHIN_MS = 60_000

/** What is the same however clients listen. */
export function listenersOf(clients: readonly Listener[], counted: Tally) {
  let streaming: readonly Listener[] = []
  const have = (...states: Listener['state'][]) => streaming.filter(({ state }) => states.includes(state)).length
  return {
    async begin({ streams, perSecond }: Beginning): Promise<boolean> {
      streaming = clients.slice(0, streams)
      if (streaming.length < streams) throw new Error(`there are ${clients.length} clients`)
      const start = performance.now()
      for (const [i, client] of streaming.entries()) {
        while (performance.now() - start < (i * 1_000) / perSecond) await pause(1)
        client.state = 'asked'
        client.ask()
      }
      return becomes(() => have('asked') === 0, SPEAKS_WITHIN_MS)
    },
    mark: () => counted.mark(),
    heard: () => counted.heard(),
    firsts: () => counted.firsts(),
    async over(): Promise<Over> {
      await becomes(() => have('asked', 'speaking') === 0, ENDS_WITHIN_MS)
      return { whole: have('whole'), broken: streaming.length - have('whole') }
    },
  }
}
