import type { Logger } from '@chatbox/runtime'
import type { Upstream } from '../upstream/upstream.ts'

export interface StopOptions {
  /** How long the vendor may take to stop a run. */
  readonly stopMs: number
  /** Where it is said that one could not be stopped. */
  readonly log?: Pick<Logger, 'warn'>
}

/** A run of the vendor's: it goes on, and costs, when nobody listens any more, unless it is stopped. */
export interface Run {
  /** As each event names it. */
  named(taskId: string | undefined): void
  /** It has come to its end by itself. */
  over(): void
  /** If it is known by name and not over. Once, and nobody waits for it. */
  stop(): void
}

export function openRun(upstream: Upstream, user: string, options: StopOptions): Run {
  let task: string | undefined
  let goesOn = true
  return {
    named(taskId) {
      task ??= taskId
    },
    over() {
      goesOn = false
    },
    stop() {
      if (!goesOn || task === undefined) return
      goesOn = false
      void stopTask(upstream, task, user, options)
    },
  }
}

/** Whoever began a run alone can stop it, so `user` is the same. */
async function stopTask({ baseUrl, fetch, ...upstream }: Upstream, task: string, user: string, options: StopOptions) {
  const { stopMs, log } = options
  try {
    const response = await fetch(`${baseUrl}/chat-messages/${encodeURIComponent(task)}/stop`, {
      ...signed(upstream, { user }),
      signal: AbortSignal.timeout(stopMs),
    })
    await response.body?.cancel()
    if (!response.ok) log?.warn({ status: response.status }, 'a run of Dify could not be stopped')
  } catch (error) {
    log?.warn({ err: error }, 'a run of Dify could not be stopped')
  }
}

/** How everything is asked of the vendor. */
export const signed = ({ apiKey }: Pick<Upstream, 'apiKey'>, body: object): RequestInit => ({
  method: 'POST',
  headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
  body: JSON.stringify(body),
})
