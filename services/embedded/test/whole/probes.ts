import type { StorageProcess } from './backend.ts'

export type ProbeName = 'healthz' | 'readyz'

const ANSWERED_WITHIN_MS = 5_000

export async function statusOf({ opsUrl }: Pick<StorageProcess, 'opsUrl'>, probe: ProbeName): Promise<number> {
  const url = new URL(`/chat/${probe}`, opsUrl)
  return (await fetch(url, { signal: AbortSignal.timeout(ANSWERED_WITHIN_MS) })).status
}

/** What an orchestrator was told, and when: both by the clock that `since` is told by. */
export interface Probed {
  readonly askedAt: number
  readonly answeredAt: number
  /** Undefined where nobody answered. */
  readonly status: number | undefined
}

export interface Probing {
  /** In the order of the answers. */
  readonly answers: readonly Probed[]
  /** Asks no more, and waits for what is on its way. */
  stop(): Promise<void>
}

/** Asks again and again, whether the last one was answered or not. */
export function probing(
  storage: Pick<StorageProcess, 'opsUrl'>,
  probe: ProbeName,
  since: number,
  everyMs = 100,
): Probing {
  const answers: Probed[] = []
  const asking = new Set<Promise<void>>()
  const now = () => performance.now() - since
  const ask = () => {
    const askedAt = now()
    const told = (status: number | undefined) => void answers.push({ askedAt, answeredAt: now(), status })
    const asked: Promise<void> = statusOf(storage, probe)
      .then(told, () => told(undefined))
      .finally(() => asking.delete(asked))
    asking.add(asked)
  }
  ask()
  const timer = setInterval(ask, everyMs)
  return {
    answers,
    async stop() {
      clearInterval(timer)
      await Promise.all(asking)
    },
  }
}
