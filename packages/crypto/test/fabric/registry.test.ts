import { describe, expect, it } from 'vitest'
import { openFabric } from './open-fabric.ts'
import { anna, edge, row } from './samples.ts'

describe('rows of connections', () => {
  it('come back under the user’s own id, whether listed, replaced or in the way', async () => {
    const { registry } = openFabric().sealed
    await registry.renew(edge)
    const [first, again, other] = [
      row(anna, 'one'),
      { ...row(anna, 'two'), deviceId: row(anna, 'one').deviceId },
      row(anna, 'three'),
    ]
    await registry.register(first, 1)
    expect(await registry.list(anna)).toEqual([first])
    expect(await registry.register(again, 1)).toEqual({ kind: 'registered', replaced: [first], count: 1 })
    expect(await registry.register(other, 1)).toEqual({ kind: 'refused', others: [again] })
  })
})
