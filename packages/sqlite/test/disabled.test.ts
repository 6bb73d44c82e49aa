import { userId } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { openSqlite } from '../src/index.ts'
import { someFile } from './lib/folder.ts'

const [ada, bob] = [userId('ada@example.com'), userId('bob')]

describe('disabled users in a file (R23)', () => {
  it('are listed once each, until they are enabled again, by whoever opens the file next too', async () => {
    const file = someFile()
    const first = await openSqlite({ file })
    expect(await first.disabledUsers.list()).toEqual([])
    await first.disabledUsers.set(bob, true)
    await first.disabledUsers.set(ada, true)
    await first.disabledUsers.set(ada, true)
    expect(await first.disabledUsers.list()).toEqual([ada, bob])
    await first.disabledUsers.set(bob, false)
    await first.disabledUsers.set(bob, false)
    await first.close()
    const second = await openSqlite({ file })
    expect(await second.disabledUsers.list()).toEqual([ada])
    await second.close()
  })

  it('come to a file that is older than they are', async () => {
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
})
