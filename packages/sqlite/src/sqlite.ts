import type { Audit, DisabledUsers, Leases, SealedConversations } from '@chatbox/core'
import { StoreError, storeErrorOf } from './errors.ts'
import { groupCommit, type WriteCounts } from './group-commit.ts'
import { closeFile, openFile } from './open.ts'
import { watchPlace } from './place.ts'
import { prepareAll } from './sql/index.ts'
import type { Access } from './store/access.ts'
import { answers } from './store/answers.ts'
import { audit } from './store/audit.ts'
import { disabledUsers } from './store/disabled.ts'
import { erasure } from './store/erasure.ts'
import { keys } from './store/keys.ts'
import { leases } from './store/leases.ts'
import { sessions } from './store/sessions.ts'
import { turns } from './store/turns.ts'

export interface SqliteOptions {
  /** Made if it is not there, and so is its folder. One process at a time can have it. */
  readonly file: string
  /** The clock that leases run by; `Date.now` by default. */
  readonly now?: () => number
  /** How long to wait for another process that is just letting the file go; 2 s by default. */
  readonly lockWaitMs?: number
}

export interface Sqlite {
  readonly conversations: SealedConversations
  readonly leases: Leases
  readonly disabledUsers: DisabledUsers
  readonly audit: Audit
  /** How many commits there were since the file was opened, and how many writes were in them. */
  readonly counts: WriteCounts
  /**
   * For the start of a process that will own all partitions. The file is locked for this process, so whoever had a lease is gone,
   * and it need not be waited for. If somebody still had one, that process died.
   */
  takeOver(): Promise<{ readonly crashed: boolean }>
  /** Commits what is waiting, and lets the file go. `conversations.close` does the same. */
  close(): Promise<void>
}

/**
 * Sessions, turns, leases, disabled users and the audit trail in one SQLite file, for the shape that is one process. What resolves has been committed and synced.
 * Writes that are asked for within one turn of the event loop share a commit.
 */
export async function openSqlite({ file, now = Date.now, lockWaitMs = 2_000 }: SqliteOptions): Promise<Sqlite> {
  const driver = openFile(file, lockWaitMs)
  const stillInPlace = watchPlace(file)
  const statements = prepareAll(driver)
  const writer = groupCommit(driver, file)
  let closing: Promise<void> | undefined

  async function closeAll(): Promise<void> {
    writer.close()
    closeFile(driver, file)
  }
  const close = (): Promise<void> => {
    closing ??= closeAll()
    return closing
  }

  const access: Access = {
    statements,
    write: writer.write,
    now,
    async read(query) {
      if (closing) throw new StoreError('closed', `The database ${file} is closed.`)
      try {
        return query()
      } catch (error) {
        throw storeErrorOf(error, file)
      }
    },
  }

  return {
    conversations: {
      ...sessions(access),
      ...turns(access),
      ...answers(access),
      ...erasure(access),
      ...keys(access),
      async ping() {
        await access.read(() => void statements.setting.one({ name: 'partitions' }))
        await stillInPlace()
      },
      close,
    },
    leases: leases(access),
    disabledUsers: disabledUsers(access),
    audit: audit(access),
    counts: writer.counts,
    takeOver: () =>
      access.write(() => {
        statements.dropReplicas.run()
        return { crashed: statements.freeLeases.run() > 0 }
      }),
    close,
  }
}
