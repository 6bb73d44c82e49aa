import { describe } from 'vitest'
import type { Build } from './adapter.ts'
import { deliveryContract } from './bus/delivery.ts'
import { busLifeContract } from './bus/life.ts'
import { busLogContract } from './bus/log.ts'
import { busModelContract } from './bus/model.ts'
import { replyContract } from './bus/replies.ts'

/** Everything that holds for a Bus, whatever it is made of. */
export function busContract(name: string, build: Build<'bus'>): void {
  describe(`Bus on ${name}`, () => {
    deliveryContract(build)
    replyContract(build)
    busLogContract(build)
    busLifeContract(build)
    busModelContract(build)
  })
}
