import { z } from 'zod'
import type { Codec } from '../setting.ts'
import { type Setting, setting } from '../setting.ts'

/** What is shown of a model; what else is said of it is for whoever asks its provider. */
export interface ModelName {
  readonly id: string
  readonly label: string
}

const entry = z.looseObject({ id: z.string().min(1).max(100), label: z.string().min(1).max(200) })

const modelNames: Codec<readonly ModelName[]> = z.string().transform((raw, context) => {
  try {
    const parsed = z.array(entry).min(1).safeParse(JSON.parse(raw))
    if (parsed.success && new Set(parsed.data.map(({ id }) => id)).size === parsed.data.length) {
      return parsed.data.map(({ id, label }) => ({ id, label }))
    }
  } catch {
    // Told below, in words that hold nothing of what was written.
  }
  context.addIssue({ code: 'custom', message: 'must be a JSON list of models, each with an id of its own and a label' })
  return z.NEVER
})

/** MODELS: the same for edges, storage and workers; the first is the default (M6a). */
export function models(): Setting<readonly ModelName[]> {
  return setting('MODELS', modelNames, {
    about: 'JSON list of the models on offer, each with id and label; the first is the default.',
    default: JSON.stringify([
      { id: 'demo', label: 'Demo' },
      { id: 'demo-quick', label: 'Demo, quick' },
    ]),
  })
}
