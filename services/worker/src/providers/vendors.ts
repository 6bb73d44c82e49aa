import type { Access, Logger, ModelSpec } from '@chatbox/runtime'
import type { Provider } from '../provider.ts'
import { createAnthropicProvider } from './anthropic.ts'
import { demoProvider } from './demo.ts'
import { createDifyProvider } from './dify.ts'
import { createOpenAIProvider } from './openai.ts'
import type { Upstreams } from './upstream/fetch.ts'
import type { Upstream } from './upstream/upstream.ts'

export interface ProviderOptions {
  readonly pace: number
  readonly log: Pick<Logger, 'warn'> | undefined
}

/** The adapter that a model is asked by. */
export function providerOf(spec: ModelSpec, upstreams: Upstreams, { pace, log }: ProviderOptions): Provider {
  const upstream = ({ baseUrl, apiKey }: Access): Upstream => ({ baseUrl, apiKey, fetch: upstreams.fetchFor(baseUrl) })
  switch (spec.provider) {
    case 'demo':
      return demoProvider({ pace: pace * spec.pace })
    case 'openai':
      return createOpenAIProvider(upstream(spec), { api: spec.api })
    case 'anthropic':
      return createAnthropicProvider(upstream(spec))
    case 'dify':
      return createDifyProvider(upstream(spec), log && { log })
  }
}
