import { randomBytes } from 'node:crypto'
import { createLogger, createMetrics, type Metrics } from '@chatbox/runtime'
import {
  arrivals,
  type FakeCall,
  type FakeDify,
  type FakeProvider,
  type Script,
  VENDORS,
} from '@chatbox/testkit/providers'
import type { WireClient } from '@chatbox/testkit/wire'
import type { Model } from '@chatbox/worker'
import { type InProcessOptions, inProcess } from './backend.ts'
import { type Distributed, type DistributedOptions, startDistributed } from './system.ts'

export type VendorName = keyof typeof VENDORS
export const VENDOR_NAMES = Object.keys(VENDORS) as VendorName[]

/** Of each of them. */
export const KEY = `sk-canary-of-the-vendors-${randomBytes(8).toString('hex')}` // not a secret

/** A question that its vendor will know again. */
export interface Planned {
  /** To be put into the question. */
  readonly mark: string
  /** Requests that were made with it, and when each came. */
  readonly calls: readonly (FakeCall & { readonly at: number })[]
  /** The request of this number, from 0, as soon as it came. */
  call(index: number): Promise<FakeCall & { readonly at: number }>
}

/** Two edges, storage and worker over one Redis, and every vendor behind them. */
export interface VendorScene {
  readonly system: Distributed
  readonly metrics: Metrics
  readonly fakes: Readonly<Record<VendorName, FakeProvider>> & { readonly dify: FakeDify }
  /** How a question is answered: its first request by the first script, and so on; what comes after the last as the last. */
  plan(...scripts: readonly Script[]): Planned
  /** A user's device on each of the edges. */
  pair(user: string): Promise<readonly [WireClient, WireClient]>
  /** How many places at the vendors the worker has. */
  placesTaken(): number
  /** Everything that the edges, storage and the worker have written. */
  logs(): string
  stop(): Promise<void>
}

export type VendorSceneOptions = Pick<DistributedOptions, 'redisUrl' | 'clockScale'> &
  Pick<InProcessOptions, 'workerTimes' | 'workerBounds' | 'aroundAnswers' | 'models'>

export async function startVendors({ redisUrl, clockScale, ...backend }: VendorSceneOptions): Promise<VendorScene> {
  const plans = new Map<string, PlannedCalls>()
  const fakes = {
    openAIChat: planned(await VENDORS.openAIChat.start(), plans),
    openAIResponses: planned(await VENDORS.openAIResponses.start(), plans),
    anthropic: planned(await VENDORS.anthropic.start(), plans),
    dify: planned(await VENDORS.dify.start(), plans),
  }
  const models = VENDOR_NAMES.map((name) => ({
    ...ASKED[name],
    id: name,
    label: name,
    key: 'CANARY_API_KEY',
    baseUrl: `${fakes[name].url}${VENDORS[name].path}`,
  }))
  const metrics = createMetrics()
  const lines: string[] = []
  const log = createLogger({ service: 'backend', level: 'trace', destination: { write: (line) => lines.push(line) } })
  let taken = 0

  /** Counts those who are let through and have not left. */
  function counted(model: Model): Model {
    const { gate } = model
    if (!gate) throw new Error('there is no gate in front of this model')
    return {
      ...model,
      gate: {
        async enter(signal) {
          const visit = await gate.enter(signal)
          taken += 1
          return {
            spoke: visit.spoke,
            leave(outcome) {
              taken -= 1
              visit.leave(outcome)
            },
          }
        },
      },
    }
  }

  const env = { MODELS: JSON.stringify(models), CANARY_API_KEY: KEY }
  const system = await startDistributed({
    redisUrl,
    edges: 2,
    ...(clockScale !== undefined && { clockScale }),
    env: { MODELS: env.MODELS, LOG_LEVEL: 'trace' },
    backend: (secrets) => inProcess(redisUrl, secrets, { ...backend, env, log, metrics, aroundModel: counted }),
  })
  const [one, two] = system.edges
  if (!one || !two) throw new Error('there are no two edges')

  return {
    system,
    metrics,
    fakes,
    plan(...scripts) {
      const mark = `[[${plans.size}]]`
      const arrivals = plannedCalls(scripts)
      plans.set(mark, arrivals)
      return { mark, calls: arrivals.calls, call: arrivals.call }
    },
    pair: (user) =>
      Promise.all([
        system.device(one, user, 'asks', { options: PATIENT }),
        system.device(two, user, 'looks', { options: PATIENT }),
      ]),
    placesTaken: () => taken,
    logs: () => [...lines, ...system.edges.map(({ process }) => process.output())].join('\n'),
    async stop() {
      await system.stop()
      await Promise.all(Object.values(fakes).map((fake) => fake.stop()))
    },
  }
}

const ASKED: Readonly<Record<VendorName, object>> = {
  openAIChat: { provider: 'openai', model: 'a-model' },
  openAIResponses: { provider: 'openai', model: 'a-model', api: 'responses' },
  anthropic: { provider: 'anthropic', model: 'a-model' },
  dify: { provider: 'dify' },
}

/** Answers may take their limits, and a full machine its time. */
const PATIENT = { waitMs: 100_000 }

type PlannedCalls = ReturnType<typeof plannedCalls>

function plannedCalls(scripts: readonly Script[]) {
  const calls = arrivals<FakeCall & { readonly at: number }>()
  return {
    calls: calls.all,
    /** How this one is answered. */
    came(call: FakeCall): Script {
      calls.add({ ...call, at: performance.now() })
      return scripts[Math.min(calls.all.length, scripts.length) - 1] ?? {}
    },
    call: calls.at,
  }
}

const MARK = /\[\[\d+\]\]/g

/** Answers each question as it was planned. The last mark in what is asked is the question's. */
function planned<F extends FakeProvider>(fake: F, plans: ReadonlyMap<string, PlannedCalls>): F {
  fake.always(({ body }) => {
    const mark = JSON.stringify(body).match(MARK)?.at(-1)
    const arrivals = plans.get(mark ?? '')
    // It is noted before its answer is asked for.
    const call = fake.calls.at(-1)
    if (!arrivals || !call) throw new Error('nobody has planned for this question')
    return arrivals.came(call)
  })
  return fake
}
