import { replicaId } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { openSqlite } from '../src/index.ts'
import { someFolder } from './lib/folder.ts'

describe('a start with a file that a process had to itself', () => {
  it('after a crash takes its leases at once, under a higher generation, and sees nobody take part (R6)', async () => {
    const { file, remove } = someFolder()
    const first = await openSqlite({ file })
    const before = await first.leases.acquire(7, replicaId('crashes'), 3_600_000)
    await first.leases.attend(replicaId('crashes'), 3_600_000)
    await first.close()

    const second = await openSqlite({ file })
    expect(await second.leases.acquire(7, replicaId('next'), 1_000)).toBeUndefined()
    expect(await second.takeOver()).toEqual({ crashed: true })
    expect(await second.leases.replicas()).toEqual(new Map())
    const after = await second.leases.acquire(7, replicaId('next'), 1_000)
    expect(after?.gen).toBe((before?.gen ?? 0) + 1)
    await second.close()
    remove()
  })

  it('after a stop is told from one after a crash', async () => {
    const { file, remove } = someFolder()
    const first = await openSqlite({ file })
    const lease = await first.leases.acquire(0, replicaId('stops'), 3_600_000)
    if (lease) await first.leases.release(lease)
    await first.close()
    const second = await openSqlite({ file })
    expect(await second.takeOver()).toEqual({ crashed: false })
    await second.close()
    remove()
  })
})
