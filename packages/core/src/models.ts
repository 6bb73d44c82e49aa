import type { ModelView } from '@chatbox/protocol'

/** The models a user may pick among (M6a). */
export interface ModelList {
  readonly views: readonly ModelView[]
  readonly defaultId: string
  has(modelId: string): boolean
}

interface NamedModel {
  readonly id: string
  readonly label: string
  readonly default?: boolean | undefined
}

/** The default is the one that says so, or else the first. */
export function modelList(models: readonly NamedModel[]): ModelList {
  const first = models.find((model) => model.default) ?? models[0]
  if (!first) throw new Error('at least one model must be configured')
  const ids = new Set(models.map((model) => model.id))
  return {
    views: models.map(({ id, label }) => ({ id, label, default: id === first.id })),
    defaultId: first.id,
    has: (modelId) => ids.has(modelId),
  }
}
