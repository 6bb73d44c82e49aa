import type { ModelView } from '@chatbox/protocol'

/** The models a user may pick among; the first is the default (M6a). */
export interface ModelList {
  readonly views: readonly ModelView[]
  readonly defaultId: string
  has(modelId: string): boolean
}

export function modelList(models: readonly { id: string; label: string }[]): ModelList {
  const [first] = models
  if (!first) throw new Error('at least one model must be configured')
  const ids = new Set(models.map((model) => model.id))
  return {
    views: models.map(({ id, label }) => ({ id, label, default: id === first.id })),
    defaultId: first.id,
    has: (modelId) => ids.has(modelId),
  }
}
