import { replicaId } from '@chatbox/core'
import { leasesContract } from '@chatbox/testkit/contracts'
import { describe, expect, it } from 'vitest'
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

describe('a file that a process had to itself', () => {
  it('gives its leases to the next one at once, under a higher generation, when that one asks (R6)', async () => {
    const { file, remove } = someFolder()
    const first = await openSqlite({ file })
    const before = await first.leases.acquire(7, replicaId('gone'), 3_600_000)
    await first.close()
    const second = await openSqlite({ file })
    expect(await second.leases.acquire(7, replicaId('next'), 1_000)).toBeUndefined()
    expect(await second.takeOver()).toEqual({ crashed: true, corrected: 0 })
    const after = await second.leases.acquire(7, replicaId('next'), 1_000)
    expect(after?.gen).toBe((before?.gen ?? 0) + 1)
    await second.close()
    remove()
  })
})
