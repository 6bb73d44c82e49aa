import type { Fabric } from '@chatbox/core'
import { type SealedFabric, type SealedFabricOptions, type SealedPlace, sealedFabric } from '@chatbox/crypto'
import { type MemoryFabric, memoryFabric } from '@chatbox/memory'
import { onTestFinished } from 'vitest'
import { ring } from '../rings.ts'

export interface OpenFabric {
  readonly sealed: SealedFabric
  /** What is behind it. */
  readonly inner: MemoryFabric
  /** What did not open. */
  readonly unopenable: SealedPlace[]
}

/** `between` stands between the sealed ports and the memory fabric. */
export function openFabric(
  between: (inner: MemoryFabric) => Fabric = (inner) => inner,
  more: Pick<SealedFabricOptions, 'maxUsers'> = {},
): OpenFabric {
  const inner = memoryFabric({ limits: { messages: { points: 5, perMs: 60_000 } } })
  onTestFinished(() => inner.close())
  const unopenable: SealedPlace[] = []
  const sealed = sealedFabric(between(inner), ring('k1'), { onUnopenable: (place) => unopenable.push(place), ...more })
  return { sealed, inner, unopenable }
}
