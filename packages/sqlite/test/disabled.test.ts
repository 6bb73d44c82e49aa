<<<<<<< HEAD
import { userId } from '@chatbox/core'
import { disabledUsersContract } from '@chatbox/testkit/contracts'
import { describe, expect, it } from 'vitest'
import { openSqlite } from '../src/index.ts'
import { someFile, someFolder } from './lib/folder.ts'
=======
import { disabledUsersContract } from '@chatbox/testkit/contracts'
import { openSqlite } from '../src/index.ts'
import { someFolder } from './lib/folder.ts'
>>>>>>> 8c79ec6 (feat(sqlite): settles turns, keeps shares, ratings, the audit trail and key ids; contract suites for all of it)

disabledUsersContract('SQLite', async () => {
  const { file, remove } = someFolder()
  let current = await openSqlite({ file })
  return {
    disabledUsers: current.disabledUsers,
    async again() {
      await current.close()
      current = await openSqlite({ file })
      return current.disabledUsers
    },
    close: () => current.close().finally(remove),
  }
<<<<<<< HEAD
})

describe('disabled users in a file', () => {
  it('come to a file that is older than they are', async () => {
    const ada = userId('ada@example.com')
    const file = someFile()
    const { default: Database } = await import('libsql')
    const first = await openSqlite({ file })
    await first.leases.partitionCount(64)
    await first.close()
    // As the version before left it.
    const old = new Database(file)
    old.exec('drop table disabled_users; pragma user_version = 1')
    old.close()
    const next = await openSqlite({ file })
    await next.disabledUsers.set(ada, true)
    expect(await next.disabledUsers.list()).toEqual([ada])
    expect(await next.leases.partitionCount(1)).toBe(64)
    await next.close()
  })
=======
>>>>>>> 8c79ec6 (feat(sqlite): settles turns, keeps shares, ratings, the audit trail and key ids; contract suites for all of it)
})
