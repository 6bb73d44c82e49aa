import type { Claim } from '@chatbox/redis'
import { expect, it } from 'vitest'
import { onEachRedis } from './support/servers.ts'
import { storeOn } from './support/store.ts'

const claim = (how: Claim['how'], own: string[], known: string[] = [], leaseMs = 60_000): Claim => ({
  how,
  own,
  known,
  leaseMs,
})

await onEachRedis((_name, redis) => {
  const open = storeOn(redis)

  it('tells a newcomer what is claimed that it does not know, and takes none of its claims then', async () => {
    const { claims, close } = await open({})
    expect(await claims.claim(claim('join', ['a']))).toEqual([])
    expect(await claims.claim(claim('join', ['b']))).toEqual(['a'])
    expect(await claims.claim(claim('join', ['a']))).toEqual([])
    expect(await claims.claim(claim('join', ['b'], ['a']))).toEqual([])
    expect(await claims.claim(claim('look', ['c'], ['a', 'b']))).toEqual([])
    expect(await claims.claim(claim('hold', ['a']))).toEqual(['b'])
    expect((await claims.claim(claim('look', []))).sort()).toEqual(['a', 'b'])
    await close()
  })

  it('lets one of two in that come at the same moment', async () => {
    const { claims, close } = await open({})
    const met = await Promise.all(['a', 'b'].map((own) => claims.claim(claim('join', [own]))))
    expect(met.map(({ length }) => length).sort()).toEqual([0, 1])
    await close()
  })

  it('forgets what nobody repeats', async () => {
    const { claims, close } = await open({})
    await claims.claim(claim('join', ['a'], [], 100))
    await expect.poll(() => claims.claim(claim('join', ['b'])), { timeout: 5_000 }).toEqual([])
    expect(await claims.claim(claim('look', []))).toEqual(['b'])
    await close()
  })
})
