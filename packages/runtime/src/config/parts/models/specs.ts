import type { Setting } from '../../setting.ts'
import { FAULTY, type Faulty, type Source } from '../../source.ts'
import { privateProviders } from '../providers.ts'
import { accessDocs, accessFrom, vendors } from './access.ts'
import type { ModelEntry } from './entry.ts'
import { defaultOf, wholeList } from './list.ts'
import { namesDocs, namesFrom } from './names.ts'
import { CONTEXT_TOKENS, DEMO_MODELS, type ModelSpec, type ModelSpecs, presetModels } from './spec.ts'

interface Options {
  /** Without MODELS, take the vendors whose key is set. Only where one process has everything: edges have no keys. */
  readonly presets: boolean
}

/** MODELS with the keys and addresses that it refers to, for whoever asks the models (M6). */
export function modelSpecs({ presets }: Options): Setting<ModelSpecs> {
  const list = wholeList()
  const hosts = privateProviders()
  return {
    docs: [...list.docs, ...accessDocs, ...(presets ? namesDocs : []), ...hosts.docs],
    read(source) {
      const privateHosts = hosts.read(source)
      const entries = list.read(source)
      if (privateHosts === FAULTY || entries === FAULTY) return FAULTY
      const access = accessFrom(source, privateHosts)
      const read = entries
        ? entries.map((entry, place) => specOf(entry, place, access))
        : unlisted(presets, access, source)
      if (!entries && !presets) source.warn('MODELS', NOT_SET)
      const models = read.filter((model) => model !== FAULTY)
      if (models.length < read.length) return FAULTY
      return { models, defaultId: defaultOf(entries ?? models), privateHosts }
    },
  }
}

/** Whoever gave a worker a key expects its vendor to answer. */
const NOT_SET = 'is not set, so that the built-in demo models answer; a key alone offers no model here'

type AccessFrom = ReturnType<typeof accessFrom>

function unlisted(presets: boolean, access: AccessFrom, source: Source): readonly (ModelSpec | Faulty)[] {
  const namesOf = namesFrom(source)
  const found = presets
    ? vendors.flatMap((vendor): readonly (ModelSpec | Faulty)[] => {
        const own = access.preset(vendor)
        if (own === undefined) return []
        const names = namesOf(vendor)
        return own === FAULTY || names === FAULTY ? [FAULTY] : presetModels(vendor, own, names)
      })
    : []
  return found.length > 0 ? found : DEMO_MODELS
}

function specOf(entry: ModelEntry, place: number, access: AccessFrom): ModelSpec | Faulty {
  const { id, label, contextTokens = CONTEXT_TOKENS, price, fallback } = entry
  const common = {
    ...{ id, label, contextTokens },
    ...('systemPrompt' in entry && entry.systemPrompt !== undefined && { systemPrompt: entry.systemPrompt }),
    ...(price && { price }),
    ...(fallback !== undefined && { fallback }),
  }
  if (entry.provider === 'demo') {
    const { pace = 1, maxTokens } = entry
    return { ...common, provider: 'demo', pace, ...(maxTokens !== undefined && { maxTokens }) }
  }
  const reached = access.of(entry.provider, entry.key, entry.baseUrl, `entry ${place + 1}`)
  if (reached === FAULTY) return FAULTY
  if (entry.provider === 'dify') return { ...common, ...reached, provider: 'dify' }
  const { model, temperature, maxTokens } = entry
  const asked = {
    ...{ ...common, ...reached, model },
    ...(temperature !== undefined && { temperature }),
    ...(maxTokens !== undefined && { maxTokens }),
  }
  if (entry.provider === 'anthropic') return { ...asked, provider: 'anthropic' }
  const { api = 'chat', maxTokensName, askUsage } = entry
  return {
    ...asked,
    provider: 'openai',
    api,
    ...(maxTokensName !== undefined && { maxTokensName }),
    ...(askUsage !== undefined && { askUsage }),
  }
}
