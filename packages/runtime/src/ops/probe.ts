import type { Logger } from '../log/logger.ts'

/** Something that a service needs in order to serve: a store, mostly. */
export interface Check {
  readonly name: string
  /** Resolves when it answers. Must give up when the signal aborts. */
  ping(signal: AbortSignal): Promise<unknown>
}

export type ProbeResult = 'ok' | 'failed' | 'timeout'

/** Asks a check, and is never late itself, even when the ping ignores its signal (O1). */
export function createProbe(check: Check, timeoutMs: number, logger?: Logger): () => Promise<ProbeResult> {
  let last: ProbeResult = 'ok'
  let asking: Promise<ProbeResult> | undefined

  async function ask(): Promise<ProbeResult> {
    const { result, err } = await pingWithin(check, timeoutMs)
    // Probes come every few seconds; only a change is news.
    if (result !== last) {
      const fields = { check: check.name, result, ...(err === undefined ? {} : { err }) }
      if (result === 'ok') logger?.info(fields, 'answers again')
      else logger?.warn(fields, 'does not answer')
    }
    last = result
    return result
  }

  // Whoever asks meanwhile shares the answer, so that a hanging store is not asked more and more often.
  return () => {
    asking ??= ask().finally(() => {
      asking = undefined
    })
    return asking
  }
}

async function pingWithin(check: Check, timeoutMs: number): Promise<{ result: ProbeResult; err?: unknown }> {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<{ result: ProbeResult }>((resolve) => {
    timer = setTimeout(() => {
      resolve({ result: 'timeout' })
      controller.abort()
    }, timeoutMs)
  })
  try {
    const answer = check.ping(controller.signal).then(() => ({ result: 'ok' as const }))
    return await Promise.race([answer, timeout])
  } catch (err) {
    return { result: 'failed', err }
  } finally {
    clearTimeout(timer)
  }
}
