import { disabledUsersContract } from '@chatbox/testkit/contracts'
import { openSqlite } from '../src/index.ts'
import { someFolder } from './lib/folder.ts'

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
})
