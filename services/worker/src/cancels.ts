import type { AnswerRef, Unsubscribe } from '@chatbox/core'
import type { Answering } from './answering.ts'
import type { Work } from './work.ts'

/** Stops answers that somebody cancelled: by the signal, and for signals that were lost by reading all flags in one call (R18). */
export async function watchCancels(
  { fabric: { answers }, times, log }: Pick<Work, 'fabric' | 'times' | 'log'>,
  underWay: ReadonlySet<Answering>,
): Promise<Unsubscribe> {
  let timer: NodeJS.Timeout | undefined
  let polling: Promise<void> = Promise.resolve()
  let stopped = false

  const unsubscribe = await answers.onCancel((answerId) => {
    for (const answering of underWay) if (answering.answerId === answerId) answering.stop('cancelled')
  })

  async function poll(): Promise<void> {
    const begun = [...underWay].filter(hasRef)
    if (begun.length === 0) return
    const flags = await answers.cancelled(begun.map(({ ref }) => ref))
    for (const [i, answering] of begun.entries()) if (flags[i]) answering.stop('cancelled')
  }

  function next(): void {
    if (stopped) return
    timer = setTimeout(() => {
      polling = poll()
        .catch((err) => log.warn({ err }, 'cancel flags could not be read'))
        .finally(next)
    }, times.cancelPollMs)
  }

  next()
  return async () => {
    stopped = true
    clearTimeout(timer)
    await polling
    await unsubscribe()
  }
}

const hasRef = (answering: Answering): answering is Answering & { ref: AnswerRef } => answering.ref !== undefined
