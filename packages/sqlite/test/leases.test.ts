import { leasesContract } from '@chatbox/testkit/contracts'
import { openSqlite } from '../src/index.ts'
import { someFolder } from './lib/folder.ts'

leasesContract('SQLite', async () => {
  const { file, remove } = someFolder()
  let time = 1_700_000_000_000
  const open = () => openSqlite({ file, now: () => time })
  let current = await open()
  return {
    leases: current.leases,
    async pass(ms) {
      time += ms
    },
    async again() {
      await current.close()
      current = await open()
      return current.leases
    },
    close: () => current.close().finally(remove),
  }
})
