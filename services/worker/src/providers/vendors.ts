import type { Access, Logger, ModelSpec } from '@chatbox/runtime'
import type { Provider } from '../provider.ts'
import type { Upstreams } from './upstream/fetch.ts'
import type { Upstream } from './upstream/upstream.ts'

export interface ProviderOptions {
  readonly pace: number
  readonly log: Pick<Logger, 'warn'> | undefined
}

/** The adapter that a model is asked by. Each is loaded only where it is configured: a vendor's SDK takes longer to load than all the rest. */
export async function providerOf(
  spec: ModelSpec,
  upstreams: Upstreams,
  { pace, log }: ProviderOptions,
): Promise<Provider> {
  const upstream = ({ baseUrl, apiKey }: Access): Upstream => ({ baseUrl, apiKey, fetch: upstreams.fetchFor(baseUrl) })
  switch (spec.provider) {
    case 'demo': {
      const { demoProvider } = await import('./demo.ts')
      return demoProvider({ pace: pace * spec.pace })
    }
    case 'openai': {
      const { createOpenAIProvider } = await import('./openai.ts')
      const { api, maxTokensName, askUsage } = spec
      return createOpenAIProvider(upstream(spec), {
        api,
        ...(maxTokensName !== undefined && { maxTokensName }),
        ...(askUsage !== undefined && { askUsage }),
      })
    }
    case 'anthropic': {
      const { createAnthropicProvider } = await import('./anthropic.ts')
      return createAnthropicProvider(upstream(spec))
    }
    case 'dify': {
      const { createDifyProvider } = await import('./dify.ts')
      return createDifyProvider(upstream(spec), log && { log })
    }
  }
}
