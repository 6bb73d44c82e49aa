import type { Model } from './provider.ts'
import { demoProvider } from './providers/demo.ts'

export interface OfferedModel {
  readonly id: string
  readonly label: string
  readonly model: Model
}

const CONTEXT_TOKENS = 8_000

/** Models that need no key. Two of them, so that choosing one can be tried too. `pace` stretches the pauses between words. */
export function demoModels(pace: number): OfferedModel[] {
  const model = (speed: number): Model => ({
    provider: demoProvider({ pace: pace * speed }),
    name: 'demo',
    contextTokens: CONTEXT_TOKENS,
  })
  return [
    { id: 'demo', label: 'Demo', model: model(1) },
    { id: 'demo-quick', label: 'Demo, quick', model: model(0.2) },
  ]
}
