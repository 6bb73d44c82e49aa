import { type AnswerRef, Unavailable, type Unsubscribe } from '@chatbox/core'
import type { Answering } from './answering.ts'
import type { Work } from './work.ts'

/**
 * Stops answers that somebody cancelled: by the signal, and for signals that were lost by reading all flags in one call (R18). A store
 * that is away keeps nobody from starting: the signals are heard once it is there.
 */
export async function watchCancels(
  { fabric: { answers }, times, log }: Pick<Work, 'fabric' | 'times' | 'log'>,
  underWay: ReadonlySet<Answering>,
): Promise<Unsubscribe> {
  let timer: NodeJS.Timeout | undefined
  let polling: Promise<void> = Promise.resolve()
  let stopped = false

  let unsubscribe: Unsubscribe | undefined

  async function listen(): Promise<void> {
    unsubscribe ??= await answers.onCancel((answerId) => {
      for (const answering of underWay) if (answering.answerId === answerId) answering.stop('cancelled')
    })
  }

  async function readFlags(): Promise<void> {
    const begun = [...underWay].filter(hasRef)
    if (begun.length === 0) return
    const flags = await answers.cancelled(begun.map(({ ref }) => ref))
    for (const [i, answering] of begun.entries()) if (flags[i]) answering.stop('cancelled')
  }

  /** Neither waits for the other: each may be what fails. */
  async function poll(): Promise<void> {
    const outcomes = await Promise.allSettled([listen(), readFlags()])
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }

  function next(): void {
    if (stopped) return
    timer = setTimeout(() => {
      polling = poll()
        .catch((err) => log.warn({ err }, 'cancels could not be read'))
        .finally(next)
    }, times.cancelPollMs)
  }

  try {
    await listen()
  } catch (err) {
    if (!(err instanceof Unavailable)) throw err
    log.warn({ err }, 'signals of cancels cannot be heard yet')
  }
  next()
  return async () => {
    stopped = true
    clearTimeout(timer)
    await polling
    await unsubscribe?.()
  }
}

const hasRef = (answering: Answering): answering is Answering & { ref: AnswerRef } => answering.ref !== undefined
