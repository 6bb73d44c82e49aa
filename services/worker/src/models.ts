import type { Logger, ModelSpec } from '@chatbox/runtime'
import { createGate } from './gate.ts'
import type { WorkerMetrics } from './metrics.ts'
import { createPlaces, type Places } from './places.ts'
import type { Model } from './provider.ts'
import { createUpstreams } from './providers/upstream/fetch.ts'
import { providerOf } from './providers/vendors.ts'

export interface ModelsOptions {
  readonly metrics: WorkerMetrics
  /** Hosts that may be at private addresses. */
  readonly privateHosts?: readonly string[]
  /** Requests under way at one provider at once. */
  readonly concurrency?: number
  /** What the pauses of the demo provider are multiplied by. */
  readonly pace?: number
  /** Failures in a row after which a model is left alone, and for how long. */
  readonly failures?: number
  readonly openMs?: number
  /** Where it is said that a provider could not be told to stop. */
  readonly log?: Pick<Logger, 'warn'>
}

export interface Models {
  /** By the id that users pick. */
  readonly byId: ReadonlyMap<string, Model>
  /** Closes the connections to the providers. */
  close(): Promise<void>
}

/** In milliseconds; R30. */
export const BREAKER_OPEN_MS = 30_000

const FAILURES = 5

/** The models that are configured, each with its provider and what stands in front of it. */
export async function createModels(specs: readonly ModelSpec[], options: ModelsOptions): Promise<Models> {
  const {
    metrics,
    privateHosts = [],
    concurrency = 50,
    pace = 1,
    failures = FAILURES,
    openMs = BREAKER_OPEN_MS,
    log,
  } = options
  const upstreams = createUpstreams({ privateHosts })
  const places = new Map<string, Places>()

  /** Two vendors may have the same name for a server of one's own, and one vendor several servers. */
  function placesOf(spec: ModelSpec): Places {
    const server = spec.provider === 'demo' ? 'demo' : new URL(spec.baseUrl).origin
    const known = places.get(server) ?? createPlaces(concurrency)
    places.set(server, known)
    return known
  }

  async function modelOf(spec: ModelSpec): Promise<Model> {
    const { id, provider, systemPrompt, maxTokens, contextTokens, fallback, price } = spec
    const temperature = 'temperature' in spec ? spec.temperature : undefined
    const onState = (state: keyof typeof STATE) => metrics.breaker.set({ provider, model: id }, STATE[state])
    onState('closed')
    return {
      provider: await providerOf(spec, upstreams, { pace, log }),
      name: 'model' in spec ? spec.model : provider,
      contextTokens,
      gate: createGate(placesOf(spec), { failures, openMs, onState }),
      ...(systemPrompt !== undefined && { systemPrompt }),
      ...(maxTokens !== undefined && { maxTokens }),
      ...(temperature !== undefined && { temperature }),
      ...(fallback !== undefined && { fallback }),
      ...(price && { price }),
    }
  }

  return {
    byId: new Map(await Promise.all(specs.map(async (spec) => [spec.id, await modelOf(spec)] as const))),
    close: () => upstreams.close(),
  }
}

const STATE = { closed: 0, 'half-open': 1, open: 2 } as const
