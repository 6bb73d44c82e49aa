/** US dollars for a million tokens. */
export interface Price {
  readonly in: number
  readonly out: number
}

/** Where a vendor is reached, and with what. */
export interface Access {
  /** Without a slash at its end. */
  readonly baseUrl: string
  readonly apiKey: string
}

interface Common {
  readonly id: string
  readonly label: string
  readonly systemPrompt?: string
  readonly temperature?: number
  readonly maxTokens?: number
  readonly contextTokens: number
  readonly price?: Price
  /** The id of the model that answers while this one's provider is away. */
  readonly fallback?: string
}

/** How a server that speaks like OpenAI is spoken to. */
interface Dialect {
  readonly api: 'chat' | 'responses'
  /** What the limit of tokens is called in Chat Completions; the provider knows what it mostly is. */
  readonly maxTokensName?: 'max_completion_tokens' | 'max_tokens'
  /** Whether Chat Completions is asked to tell the usage; on by default. */
  readonly askUsage?: boolean
}

/** A model on offer, with all that is needed to ask it. */
export type ModelSpec =
  | (Common & { readonly provider: 'demo'; readonly pace: number })
  | (Common & Access & Dialect & { readonly provider: 'openai'; readonly model: string })
  | (Common & Access & { readonly provider: 'anthropic'; readonly model: string })
  | (Common & Access & { readonly provider: 'dify' })

export interface ModelSpecs {
  /** In the order in which they are shown. */
  readonly models: readonly ModelSpec[]
  readonly defaultId: string
  /** Hosts that may be private, canonical. */
  readonly privateHosts: readonly string[]
}

export const CONTEXT_TOKENS = 16_000

export const VENDORS = {
  openai: {
    name: 'OpenAI',
    key: 'OPENAI_API_KEY',
    url: 'OPENAI_BASE_URL',
    baseUrl: 'https://api.openai.com/v1',
    models: 'OPENAI_MODELS',
  },
  anthropic: {
    name: 'Anthropic',
    key: 'ANTHROPIC_API_KEY',
    url: 'ANTHROPIC_BASE_URL',
    baseUrl: 'https://api.anthropic.com',
    models: 'ANTHROPIC_MODELS',
  },
  dify: { name: 'Dify', key: 'DIFY_API_KEY', url: 'DIFY_BASE_URL', baseUrl: 'https://api.dify.ai/v1' },
} as const

export type Vendor = keyof typeof VENDORS

const demo = { provider: 'demo', contextTokens: 8_000 } as const

/** What there is without any key. Two of them, so that choosing one can be tried too. */
export const DEMO_MODELS: readonly ModelSpec[] = [
  { ...demo, id: 'demo', label: 'Demo', pace: 1 },
  { ...demo, id: 'demo-quick', label: 'Demo, quick', pace: 0.2 },
]

type Known = Readonly<Record<string, { readonly label: string; readonly price: Price }>>

/**
 * What a key alone gives, by the names that the vendors list: a quick model, which is the default, and a thorough one. Prices are those
 * of the vendors' lists for prompts of the size that we send.
 */
export const USUAL_MODELS = {
  openai: {
    'gpt-6-luna': { label: 'GPT-6 Luna', price: { in: 0.1, out: 0.5 } },
    'gpt-6.1-terra': { label: 'GPT-6.1 Terra', price: { in: 1, out: 5 } },
  },
  anthropic: {
    'claude-haiku-5-5': { label: 'Claude Haiku 5.5', price: { in: 0.1, out: 0.5 } },
    'claude-sonnet-5-5': { label: 'Claude Sonnet 5.5', price: { in: 2, out: 10 } },
  },
} as const satisfies Readonly<Partial<Record<Vendor, Known>>>

/** Of those vendors whose models are asked for by name. */
export type NamingVendor = keyof typeof USUAL_MODELS

/** Models of a vendor by their names alone; of one that is not known here nobody knows the price. */
export function presetModels(vendor: Vendor, access: Access, names: readonly string[]): readonly ModelSpec[] {
  // Which model it is, and what it costs, is decided in the app that the key belongs to.
  if (vendor === 'dify') {
    return [{ ...access, provider: 'dify', id: 'dify', label: 'Dify', contextTokens: CONTEXT_TOKENS }]
  }
  const known: Known = USUAL_MODELS[vendor]
  return names.map((name) => {
    const common = { ...access, id: name, model: name, label: name, contextTokens: CONTEXT_TOKENS, ...known[name] }
    return vendor === 'openai' ? { ...common, provider: vendor, api: 'chat' } : { ...common, provider: vendor }
  })
}
