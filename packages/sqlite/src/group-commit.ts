import { Unavailable } from '@chatbox/core'
import type { Driver } from './driver.ts'
import { StoreError, storeErrorOf } from './errors.ts'

/** At most this many writes share a commit, so that the event loop is not held for long. */
const MAX_GROUP = 200

export interface WriteCounts {
  /** Transactions, each of which cost one sync of the disk. */
  readonly commits: number
  /** Writes that were in them. */
  readonly writes: number
}

export interface WriteOptions {
  /** What this takes away must be gone from the files before it is told done (R22). */
  readonly erases?: boolean
}

export interface Writer {
  /** Runs `operation` in the next transaction, and resolves after its commit. One that throws is undone alone. */
  write<T>(operation: () => T, options?: WriteOptions): Promise<T>
  readonly counts: WriteCounts
  /** Refuses what comes later, and commits what is waiting. */
  close(): void
}

interface Waiting {
  readonly erases: boolean
  run(): { resolve(): void }
  reject(error: unknown): void
}

export function groupCommit(driver: Driver, file: string): Writer {
  const counts = { commits: 0, writes: 0 }
  let waiting: Waiting[] = []
  let closed = false

  /** The next turn of the event loop: what every socket that was ready has caused is in one group by then. */
  const schedule = () => setImmediate(flush)

  function flush(): void {
    const group = waiting.slice(0, MAX_GROUP)
    waiting = waiting.slice(MAX_GROUP)
    if (waiting.length > 0) schedule()
    if (group.length > 0) commit(group)
  }

  function commit(group: readonly Waiting[]): void {
    let settle: (() => void)[]
    try {
      driver.exec('begin immediate')
      settle = group.map(runAlone)
      driver.exec('commit')
    } catch (error) {
      for (const { reject } of group) reject(storeErrorOf(error, file))
      if (driver.inTransaction) driver.exec('rollback')
      return
    }
    counts.commits++
    counts.writes += group.length
    const failure = group.some(({ erases }) => erases) ? forgetOldPages(driver) : undefined
    group.forEach(({ erases, reject }, i) => {
      if (erases && failure) reject(failure)
      else settle[i]?.()
    })
  }

  function runAlone({ run, reject }: Waiting): () => void {
    driver.exec('savepoint one_write')
    try {
      const { resolve } = run()
      driver.exec('release one_write')
      return resolve
    } catch (error) {
      // Some faults, such as a full disk, make SQLite undo the whole transaction: then nobody's write was done.
      if (!driver.inTransaction) throw error
      driver.exec('rollback to one_write; release one_write')
      return () => reject(storeErrorOf(error, file))
    }
  }

  return {
    write<T>(operation: () => T, { erases = false }: WriteOptions = {}) {
      if (closed) return Promise.reject(new StoreError('closed', `The database ${file} is closed.`))
      return new Promise<T>((resolve, reject) => {
        const run = () => {
          const value = operation()
          return { resolve: () => resolve(value) }
        }
        if (waiting.push({ erases, run, reject }) === 1) schedule()
      })
    },
    counts,
    close() {
      closed = true
      while (waiting.length > 0) flush()
    },
  }
}

/** `secure_delete` clears what is given up in the file; the log of writes still has the old pages until it is emptied. */
function forgetOldPages(driver: Driver): Unavailable | undefined {
  try {
    if (driver.prepare('pragma wal_checkpoint(truncate)').one()?.busy === 0) return undefined
    return new Unavailable('What was erased may still be in the write-ahead log: erase it again.')
  } catch (error) {
    return new Unavailable('What was erased may still be in the write-ahead log: erase it again.', { cause: error })
  }
}
