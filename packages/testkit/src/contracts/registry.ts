import { describe } from 'vitest'
import type { Build } from './adapter.ts'
import { edgeLifeContract } from './registry/edges.ts'
import { registerContract } from './registry/register.ts'

/** Everything that holds for a Registry, whatever it is kept in. */
export function registryContract(name: string, build: Build<'registry'>): void {
  describe(`Registry on ${name}`, () => {
    registerContract(build)
    edgeLifeContract(build)
  })
}
