import { mapped } from '../group.ts'
import type { Setting } from '../setting.ts'
import type { Source } from '../source.ts'
import { namedList } from './models/list.ts'
import { DEMO_MODELS } from './models/spec.ts'

export type { Access, ModelSpec, ModelSpecs, Price } from './models/spec.ts'
export { modelSpecs } from './models/specs.ts'

/** What is shown of a model; what else is said of it is for whoever asks its provider. */
export interface ModelName {
  readonly id: string
  readonly label: string
  /** The first one is it, if none says so. */
  readonly default?: boolean | undefined
}

/** MODELS: the same for edges, storage and workers (M6a). */
export function models(): Setting<readonly ModelName[]> {
  return mapped(namedList(), (list) =>
    (list ?? DEMO_MODELS).map((model) => ({
      id: model.id,
      label: model.label,
      ...('default' in model && { default: model.default }),
    })),
  )
}

/** A model that users could see and never choose. */
export function refuseLongModelIds(models: readonly { id: string }[], maxBytes: number, source: Source): void {
  if (models.some(({ id }) => Buffer.byteLength(id) > maxBytes))
    source.fault('MODELS', 'names a model whose id is longer than MAX_MODEL_ID_SIZE, so that nobody could choose it')
}
