import { listOf, numberOf, textOf } from '../connection/script.ts'
import type { Store } from '../connection/store.ts'
import type { Keys } from '../keys.ts'
import type { RedisClocks } from '../options.ts'
import { freshLogId } from './bus.ts'
import { touchLog } from './scripts.ts'
import type { Subscription } from './subscription.ts'

export interface CompareDeps {
  readonly store: Store
  readonly keys: Keys
  readonly clocks: Pick<RedisClocks, 'idleMs' | 'compareMs'>
  readonly subscriptions: ReadonlySet<Subscription>
  readonly onError: (error: unknown) => void
}

/** So that a round of ten thousand users is spread over its whole time. */
const STEPS = 60

/**
 * Compares the tops of the logs with what was heard, and keeps everything of those who are connected from expiring: their logs, and
 * their rows in the registry (R25).
 */
export function compareLogs({ store, keys, clocks, subscriptions, onError }: CompareDeps): { close(): void } {
  let round: readonly Subscription[] = []
  let steps = 0
  let busy = false

  async function step(): Promise<void> {
    const at = steps++ % STEPS
    if (at === 0) round = [...subscriptions]
    const [from, to] = [at, at + 1].map((n) => Math.floor((n * round.length) / STEPS))
    const now = round.slice(from, to).filter((subscription) => subscriptions.has(subscription))
    if (now.length === 0) return
    const calls = now.map(({ uid }) => {
      const { meta, log, connections } = keys.ofUser(uid)
      return { script: touchLog, keys: [meta, log, connections], args: [freshLogId(), clocks.idleMs] }
    })
    const runs = now.map(({ uid }) => runAt(keys.ofUser(uid).meta))
    const replies = await store.callAll(calls)
    now.forEach((subscription, i) => {
      const reply = replies[i]
      const run = runs[i]
      // A server that is away is noticed by its connection.
      if (reply === undefined || reply instanceof Error || run === undefined) return
      const [id, top] = listOf(reply)
      subscription.compare({ log: textOf(id), run, offset: numberOf(top) })
    })
  }

  function runAt(key: string): string | undefined {
    try {
      return store.runAt(key)
    } catch {
      return undefined
    }
  }

  const timer = setInterval(
    () => {
      if (busy) return
      busy = true
      step()
        .catch(onError)
        .finally(() => {
          busy = false
        })
    },
    Math.max(1, clocks.compareMs / STEPS),
  ).unref()

  return { close: () => clearInterval(timer) }
}
