import { Unavailable } from '@chatbox/core'
import { within } from './attempts.ts'

export interface GatherOptions<C, R> {
  /** For errors: what a call wants. */
  readonly what: string
  /**
   * How long a group waits for others to join it. Where nobody else has been about it only waits until the event loop has been through
   * what was ready: who is alone is not to wait for others. Where the server has enough to do it waits until that is done, ten times as
   * long at most: the slower the server, the larger the groups.
   */
  readonly ms: number
  readonly size: number
  /** Every call is answered within this, one that waits for its turn too. */
  readonly answerMs: number
  /** Calls with the same key go one after the other, each in a group of its own (R4). Without one, none waits for another. */
  readonly keyOf?: (call: C) => string
  /** Does a group, and gives each call's own outcome, in their order. */
  run(calls: readonly C[]): Promise<readonly (R | Promise<R>)[]>
}

export interface GatherCounts {
  /** Groups that were done, each of which is one command to the server unless something went wrong. */
  groups: number
  /** Calls that were in them. */
  calls: number
}

interface Waiting<C, R> {
  readonly call: C
  readonly since: number
  readonly key: string | undefined
  /** It has been answered, perhaps because its time was up. */
  answered: boolean
  resolve(outcome: R): void
  reject(error: unknown): void
}

/** Groups under way that are enough for a server. */
const ENOUGH = 2
const LONGER = 10

/** Calls that arrive together are done together: batches form by load, and nobody who calls knows of them. */
export function gather<C, R>(options: GatherOptions<C, R>, counts: GatherCounts): (call: C) => Promise<R> {
  const { what, ms, size, answerMs, keyOf, run } = options
  /** The group that is filling. */
  let filling: Waiting<C, R>[] = []
  /** Since when the first of it waits. */
  let since = Number.POSITIVE_INFINITY
  let flushAt = Number.POSITIVE_INFINITY
  let cancelFlush = (): void => undefined
  let underWay = 0
  let lastHadSeveral = false
  /** For each key that is in a group: those that wait for it. */
  const behind = new Map<string, Waiting<C, R>[]>()

  function enter(waiting: Waiting<C, R>): void {
    const line = waiting.key === undefined ? undefined : behind.get(waiting.key)
    if (line) return void line.push(waiting)
    if (waiting.key !== undefined) behind.set(waiting.key, [])
    join(waiting)
  }

  function join(waiting: Waiting<C, R>): void {
    filling.push(waiting)
    if (filling.length >= size) return flush()
    // One that had to wait for its turn has waited for others long enough.
    since = Math.min(since, waiting.since)
    plan()
  }

  function plan(): void {
    const at = since + wait()
    if (at === flushAt) return
    cancelFlush()
    flushAt = at
    cancelFlush = later(at - performance.now(), flush)
  }

  function wait(): number {
    if (underWay >= ENOUGH) return ms * LONGER
    return underWay > 0 || lastHadSeveral ? ms : 0
  }

  function flush(): void {
    cancelFlush()
    flushAt = Number.POSITIVE_INFINITY
    since = Number.POSITIVE_INFINITY
    const all = filling
    filling = []
    const group = all.filter(({ answered }) => !answered)
    if (group.length > 0) doGroup(group)
    for (const waiting of all) if (waiting.answered) leave(waiting)
  }

  function doGroup(group: readonly Waiting<C, R>[]): void {
    counts.groups += 1
    counts.calls += group.length
    underWay += 1
    lastHadSeveral = group.length > 1
    const outcomes = outcomesOf(group.map(({ call }) => call)).finally(() => {
      underWay -= 1
      if (filling.length > 0) plan()
    })
    group.forEach((waiting, i) => {
      // Whoever waits for the same key goes on when this call's own outcome is known.
      outcomes
        .then((all) => all[i] as R | Promise<R>)
        .then(waiting.resolve, waiting.reject)
        .finally(() => leave(waiting))
    })
  }

  /** One that can't be done at all, such as a text that can't be stored, must not take the others with it. */
  async function outcomesOf(calls: readonly C[]): Promise<readonly (R | Promise<R>)[]> {
    try {
      return await run(calls)
    } catch (error) {
      if (calls.length === 1 || error instanceof Unavailable) throw error
      return calls.map(async (call) => (await run([call]))[0] as R)
    }
  }

  function leave({ key }: Waiting<C, R>): void {
    if (key === undefined) return
    const next = behind.get(key)?.shift()
    if (next) join(next)
    else behind.delete(key)
  }

  return async (call) => {
    const key = keyOf?.(call)
    const { promise, ...settle } = deferred<R>()
    const waiting: Waiting<C, R> = { call, since: performance.now(), key, answered: false, ...settle }
    enter(waiting)
    try {
      return await within(answerMs, what, promise)
    } finally {
      waiting.answered = true
    }
  }
}

function later(ms: number, work: () => void): () => void {
  if (ms > 0) {
    const timer = setTimeout(work, ms)
    return () => clearTimeout(timer)
  }
  const immediate = setImmediate(work)
  return () => clearImmediate(immediate)
}

/** `Promise.withResolvers` of later versions of Node. */
function deferred<T>() {
  let resolve: (value: T) => void = () => undefined
  let reject: (error: unknown) => void = () => undefined
  const promise = new Promise<T>((accept, refuse) => {
    resolve = accept
    reject = refuse
  })
  return { promise, resolve, reject }
}
