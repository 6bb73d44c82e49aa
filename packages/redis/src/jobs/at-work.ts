import type { Job } from '@chatbox/core'

/** One job in one worker's hands. */
export interface Work {
  readonly id: string
  readonly token: string
  readonly signal: AbortSignal
  /** Somebody else has the job, or will: how this one ends is of no account. */
  readonly lost: boolean
}

export interface AtWork {
  /** Runs the handler; resolves when it has ended, however it did. */
  run(job: { readonly id: string; readonly token: string; readonly data: Job }): Promise<Work>
  /** Resolves when none is at work. */
  idle(): Promise<void>
  readonly size: number
  close(): void
}

export interface AtWorkDeps {
  readonly handler: (job: Job, signal: AbortSignal) => Promise<void>
  /** How long a hold lasts that nobody renews. */
  readonly holdMs: number
  /** Tells which of the jobs were lost. */
  renew(ids: string[], tokens: string[]): Promise<readonly string[]>
  readonly onError: (error: unknown) => void
  readonly onFault: (fault: unknown) => void
}

interface OwnWork extends Work {
  lose(why: string): void
}

/**
 * BullMQ's own renewal goes by the job's id alone: a worker that lost a job and then got it again would stop holding it when the first of
 * the two ends. Here each is a work of its own.
 */
export function jobsAtWork({ handler, holdMs, renew, onError, onFault }: AtWorkDeps): AtWork {
  const works = new Map<OwnWork, Promise<void>>()

  async function renewAll(): Promise<void> {
    const held = [...works.keys()].filter(({ lost }) => !lost)
    if (held.length === 0) return
    const lost = new Set(
      await renew(
        held.map(({ id }) => id),
        held.map(({ token }) => token),
      ),
    )
    for (const work of held) if (lost.has(work.id)) work.lose('the job was lost to somebody else')
  }

  let renewing = false
  const timer = setInterval(() => {
    if (renewing) return
    renewing = true
    renewAll()
      .catch(onFault)
      .finally(() => {
        renewing = false
      })
  }, holdMs / 3).unref()

  return {
    async run({ id, token, data: { sid, answerId, n } }) {
      for (const work of works.keys()) if (work.id === id) work.lose('the job was lost, and came again')
      const work = workOn(id, token)
      const running = handler({ sid, answerId, n }, work.signal)
        .catch((error: unknown) => {
          if (!work.lost) onError(error)
        })
        .finally(() => works.delete(work))
      works.set(work, running)
      await running
      return work
    },
    async idle() {
      while (works.size > 0) await Promise.all(works.values())
    },
    get size() {
      return works.size
    },
    close: () => clearInterval(timer),
  }
}

function workOn(id: string, token: string): OwnWork {
  const abort = new AbortController()
  return {
    id,
    token,
    signal: abort.signal,
    get lost() {
      return abort.signal.aborted
    },
    lose: (why) => abort.abort(new Error(why)),
  }
}
