import { type Answers, type ChunkAppend, Unavailable } from '@chatbox/core'

/** What a test does to one call of the store, in place of the call. */
type Around<K extends keyof Answers> = (call: Answers[K], ...args: Parameters<Answers[K]>) => ReturnType<Answers[K]>

export interface WatchedAnswers extends Answers {
  /** Every call of `append`, in order. */
  readonly appends: (readonly ChunkAppend[])[]
  readonly merges: { readonly from: number; readonly upTo: number; readonly bytes: number }[]
  /** How often cancel flags were read, and how many at a time. */
  readonly polls: number[]
  /** The next calls go through these, one each; then the store is itself again. */
  readonly next: { readonly [K in 'append' | 'begin' | 'end' | 'inspect' | 'cancelled' | 'onCancel']: Around<K>[] }
}

/** The real store, with an ear at its door and, where a test wants it, a fault on the way. */
export function watchedAnswers(answers: Answers): WatchedAnswers {
  const appends: (readonly ChunkAppend[])[] = []
  const merges: { from: number; upTo: number; bytes: number }[] = []
  const polls: number[] = []
  const next: WatchedAnswers['next'] = { append: [], begin: [], end: [], inspect: [], cancelled: [], onCancel: [] }
  return {
    ...answers,
    appends,
    merges,
    polls,
    next,
    append(chunks) {
      appends.push(chunks)
      const around = next.append.shift()
      return around ? around(answers.append, chunks) : answers.append(chunks)
    },
    merge(ref, attempt, from, upTo, segment) {
      merges.push({ from, upTo, bytes: segment.body.byteLength })
      return answers.merge(ref, attempt, from, upTo, segment)
    },
    begin(ref, attempt, epoch, announce) {
      const around = next.begin.shift()
      return around
        ? around(answers.begin, ref, attempt, epoch, announce)
        : answers.begin(ref, attempt, epoch, announce)
    },
    end(ref, attempt, end) {
      const around = next.end.shift()
      return around ? around(answers.end, ref, attempt, end) : answers.end(ref, attempt, end)
    },
    inspect(refs) {
      const around = next.inspect.shift()
      return around ? around(answers.inspect, refs) : answers.inspect(refs)
    },
    cancelled(refs) {
      polls.push(refs.length)
      const around = next.cancelled.shift()
      return around ? around(answers.cancelled, refs) : answers.cancelled(refs)
    },
    onCancel(listener) {
      const around = next.onCancel.shift()
      return around ? around(answers.onCancel, listener) : answers.onCancel(listener)
    },
  }
}

const away = () => new Unavailable('the store did not answer')

/** The store never heard it. */
export const lostOnTheWay = async (..._: unknown[]): Promise<never> => {
  throw away()
}

/** The store did it, and its reply was lost. */
export const replyLost =
  <A extends unknown[]>() =>
  async (call: (...args: A) => Promise<unknown>, ...args: A): Promise<never> => {
    await call(...args)
    throw away()
  }

/** Waits for the test before the store hears it. */
export function held<K extends keyof WatchedAnswers['next']>() {
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  let arrive: () => void = () => undefined
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve
  })
  const around = async (
    call: (...args: Parameters<Answers[K]>) => ReturnType<Answers[K]>,
    ...args: Parameters<Answers[K]>
  ): Promise<Awaited<ReturnType<Answers[K]>>> => {
    arrive()
    await released
    return await call(...args)
  }
  return { around, arrived, release }
}
