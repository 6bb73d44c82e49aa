import { auditContract } from '@chatbox/testkit/contracts'
import { openSqlite } from '../src/index.ts'
import { someFolder } from './lib/folder.ts'

auditContract('SQLite', async () => {
  const { file, remove } = someFolder()
  const { audit, close } = await openSqlite({ file })
  return { audit, close: () => close().finally(remove) }
})
