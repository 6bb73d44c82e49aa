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

/** A model on offer, with all that is needed to ask it. */
export type ModelSpec =
  | (Common & { readonly provider: 'demo'; readonly pace: number })
  | (Common & Access & { readonly provider: 'openai'; readonly model: string; readonly api: 'chat' | 'responses' })
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
  openai: { name: 'OpenAI', key: 'OPENAI_API_KEY', url: 'OPENAI_BASE_URL', baseUrl: 'https://api.openai.com/v1' },
  anthropic: {
    name: 'Anthropic',
    key: 'ANTHROPIC_API_KEY',
    url: 'ANTHROPIC_BASE_URL',
    baseUrl: 'https://api.anthropic.com',
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

/** What a key alone gives. */
export const presetModels: Readonly<Record<Vendor, (access: Access) => readonly ModelSpec[]>> = {
  openai(access) {
    const common = { ...access, provider: 'openai', api: 'chat', contextTokens: CONTEXT_TOKENS } as const
    return [
      { ...common, id: 'gpt-4.1-mini', label: 'GPT-4.1 mini', model: 'gpt-4.1-mini', price: { in: 0.4, out: 1.6 } },
      { ...common, id: 'gpt-4.1', label: 'GPT-4.1', model: 'gpt-4.1', price: { in: 2, out: 8 } },
    ]
  },
  anthropic(access) {
    const common = { ...access, provider: 'anthropic', contextTokens: CONTEXT_TOKENS } as const
    return [
      {
        ...common,
        id: 'claude-haiku-4-5',
        label: 'Claude Haiku 4.5',
        model: 'claude-haiku-4-5',
        price: { in: 1, out: 5 },
      },
      {
        ...common,
        id: 'claude-sonnet-4-5',
        label: 'Claude Sonnet 4.5',
        model: 'claude-sonnet-4-5',
        price: { in: 3, out: 15 },
      },
    ]
  },
  // Which model it is, and what it costs, is decided in the app that the key belongs to.
  dify: (access) => [{ ...access, provider: 'dify', id: 'dify', label: 'Dify', contextTokens: CONTEXT_TOKENS }],
}
