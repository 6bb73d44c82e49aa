import { z } from 'zod'
import type { Codec, Setting } from '../../setting.ts'
import { setting } from '../../setting.ts'
import { faultsOf, type ModelEntry, modelEntry, namedEntry } from './entry.ts'

interface Named {
  readonly id: string
  readonly default?: boolean | undefined
}

/** The same variable for edges, storage and workers, of which each reads what it needs. */
const listSetting = <T>(codec: Codec<T>): Setting<T | undefined> =>
  setting('MODELS', codec, {
    about: 'JSON list of the models on offer, as docs/models.md describes it; without it there are demo models.',
    optional: true,
    secret: true,
  })

function listOf<T extends Named>(entry: z.ZodType<T>, check: (models: readonly T[]) => string[]): Codec<readonly T[]> {
  return z.string().transform((raw, context) => {
    const refuse = (message: string) => context.addIssue({ code: 'custom', message })
    const list = jsonOf(raw, refuse)
    if (list === undefined) return z.NEVER
    if (!Array.isArray(list) || list.length === 0) {
      refuse('must be a JSON list of at least one model')
      return z.NEVER
    }
    const models: T[] = []
    for (const [place, each] of list.entries()) {
      const parsed = entry.safeParse(each)
      if (parsed.success) models.push(parsed.data)
      else for (const fault of faultsOf(parsed.error)) refuse(`entry ${place + 1}: ${fault}`)
    }
    if (models.length < list.length) return z.NEVER
    const faults = [...faultsBetween(models), ...check(models)]
    for (const fault of faults) refuse(fault)
    return faults.length > 0 ? z.NEVER : models
  })
}

function jsonOf(raw: string, refuse: (message: string) => void): unknown {
  try {
    return JSON.parse(raw)
  } catch (error) {
    // The parser's own words may quote what was written; where it stopped, which it mostly says, is what helps to find it.
    const place = error instanceof Error ? /at position (\d+)/.exec(error.message)?.[1] : undefined
    refuse(`is not valid JSON${place === undefined ? '' : `, from character ${Number(place) + 1} on`}`)
    return undefined
  }
}

function faultsBetween(models: readonly Named[]): string[] {
  const ids = models.map(({ id }) => id)
  return [
    ...ids.flatMap((id, place) =>
      ids.indexOf(id) < place ? [`entry ${place + 1}: id is that of an earlier entry`] : [],
    ),
    ...(models.filter((model) => model.default).length > 1 ? ['more than one entry is the default'] : []),
  ]
}

function faultsOfFallbacks(models: readonly ModelEntry[]): string[] {
  const ids = new Set(models.map(({ id }) => id))
  return models.flatMap(({ id, fallback }, place) => {
    if (fallback === undefined) return []
    if (fallback === id) return [`entry ${place + 1}: fallback is the model itself`]
    return ids.has(fallback) ? [] : [`entry ${place + 1}: fallback is the id of no entry`]
  })
}

/** Everything that is said of the models, for whoever asks them. */
export const wholeList = () => listSetting(listOf<ModelEntry>(modelEntry, faultsOfFallbacks))

/** What is shown of the models. A list that a newer worker understands does not stop anybody else. */
export const namedList = () => listSetting(listOf(namedEntry, () => []))

export const defaultOf = ([first, ...others]: readonly Named[]): string => {
  if (!first) throw new Error('at least one model must be configured')
  return (first.default ? first : (others.find((model) => model.default) ?? first)).id
}
