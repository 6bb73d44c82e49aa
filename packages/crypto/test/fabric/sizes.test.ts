import { edgeId, userId } from '@chatbox/core'
import { expect, it } from 'vitest'
import { openFabric } from './open-fabric.ts'

it('keys at hand are counted, and bounded (S5)', async () => {
  const { sealed } = openFabric(undefined, { maxUsers: 3 })
  expect(sealed.sizes()).toEqual({ users: 0, others: 0 })
  for (const name of ['a', 'b', 'a']) await sealed.bus.top(userId(name))
  expect(sealed.sizes()).toEqual({ users: 2, others: 0 })
  for (const name of ['c', 'd', 'e']) await sealed.bus.top(userId(name))
  await sealed.bus.listen(edgeId('edge-1'), () => undefined)
  await sealed.ingest.own(7)
  expect(sealed.sizes()).toEqual({ users: 3, others: 2 })
})
