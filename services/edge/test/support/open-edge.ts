import { randomBytes } from 'node:crypto'
import { DEFAULT_PARTITIONS, edgeId, type Fabric, modelList, randomId, userId } from '@chatbox/core'
import { createKeyring, sealedFabric } from '@chatbox/crypto'
import { type MemoryFabric, type MemoryOptions, memoryFabric } from '@chatbox/memory'
import { defaultLimits } from '@chatbox/protocol'
import {
  createLogger,
  createMetrics,
  createStructures,
  createTimers,
  createVerifier,
  signToken,
} from '@chatbox/runtime'
import { connectWire, type WireClient, type WireOptions } from '@chatbox/testkit/wire'
import { onTestFinished } from 'vitest'
import { createEdge, type Edge, type EdgeDeps, type EdgeOptions, edgeMetrics } from '../../src/index.ts'
import { type Storage, storage } from './storage.ts'
import { type Tampering, tamperWith } from './tamper.ts'

export const SECRET = randomBytes(32).toString('base64url')
/** What the pages of these tests are served from. */
export const PAGE = 'https://www.example.com'
export const MODELS = [
  { id: 'demo', label: 'Demo' },
  { id: 'other', label: 'Other' },
]

export interface OpenEdge {
  readonly edge: Edge
  readonly url: string
  /** The adapters behind the seal. */
  readonly memory: MemoryFabric
  /** The sealed ports, as the other services would hold them; not tampered with. */
  readonly fabric: Fabric
  readonly storage: Storage
  readonly tamper: Tampering
  /** Everything that was logged, down to `trace`. */
  readonly log: readonly string[]
  metric(name: string, labels?: string): Promise<number>
  /** An open socket that has said nothing yet. */
  connect(options?: WireOptions): Promise<WireClient>
  /** A socket that has said hello and is ready. */
  device(user: string, deviceId?: string, resume?: string): Promise<WireClient>
}

export interface Setting extends EdgeOptions {
  readonly deps?: Partial<EdgeDeps>
  readonly memory?: MemoryOptions
  /** Whether lines are kept for `log`; they are written all the same. Default true. */
  readonly keepLog?: boolean
  /** Users that are disabled from the start; `undefined` if there is no list. Default nobody. */
  readonly disabled?: readonly string[] | undefined
  /** Done to the ports before the edge starts. */
  readonly before?: (tamper: Tampering) => void
}

/** Enough for any test that is not about limits. */
const PLENTY = { points: 1_000_000, perMs: 60_000 }

/** The real edge on a free port, over the real in-process adapters under seal. Ends with the test. */
export async function openEdge(setting: Setting = {}): Promise<OpenEdge> {
  const { deps, memory: memoryOptions, keepLog = true, disabled: _disabled, before, ...options } = setting
  const disabled = 'disabled' in setting ? setting.disabled : []
  const memory = memoryFabric({
    ...memoryOptions,
    limits: { messages: PLENTY, requests: PLENTY, handshakes: PLENTY, ...memoryOptions?.limits },
  })
  const sealed = sealedFabric(memory, createKeyring({ keys: [{ id: 'k1', key: randomBytes(32) }] }), {
    onUnopenable: (place) => {
      throw new Error(`${place} did not open`)
    },
  })
  if (disabled) await sealed.disabled.replace(disabled.map(userId))
  const tamper = tamperWith(sealed)
  before?.(tamper)
  const log: string[] = []
  const metrics = createMetrics()
  const logger = createLogger({
    service: 'edge',
    level: 'trace',
    destination: { write: (line) => keepLog && log.push(line) },
  })
  const structures = createStructures({ metrics, logger, timers: createTimers() })
  const edge = createEdge(
    {
      edgeId: edgeId(randomId()),
      fabric: tamper.fabric,
      models: modelList(MODELS),
      verify: createVerifier({ secret: SECRET }),
      limits: defaultLimits,
      origins: { allowed: [PAGE], check: true },
      sessionSecret: randomBytes(32).toString('base64url'),
      maxConnections: 10,
      partitions: DEFAULT_PARTITIONS,
      listen: { host: '127.0.0.1', port: 0 },
      log: logger,
      metrics: edgeMetrics(metrics),
      ...deps,
    },
    { structures, handshakesPerSecond: 1_000_000, ...options, times: { finishMs: 1_000, ...options.times } },
  )
  await edge.start()
  const clients: WireClient[] = []
  onTestFinished(async () => {
    for (const client of clients) client.cut()
    await edge.stop(AbortSignal.timeout(5_000))
    await structures.stop()
    await memory.close()
  })
  const url = `http://127.0.0.1:${edge.port}`

  async function connect(wire: WireOptions = {}): Promise<WireClient> {
    const client = await connectWire(url, { origin: PAGE, ...wire })
    clients.push(client)
    return client
  }

  return {
    edge,
    url,
    memory,
    fabric: sealed,
    storage: storage(sealed),
    tamper,
    log,
    connect,
    async metric(name, labels = '') {
      const line = (await metrics.text()).split('\n').find((each) => each.startsWith(`chatbox_${name}${labels} `))
      return Number(line?.split(' ').at(-1) ?? 0)
    },
    async device(user, deviceId = randomId(), resume) {
      const client = await connect()
      const token = await tokenOf(user)
      await client.hello({ token, deviceId, ...(resume !== undefined && { resume }) })
      return client
    },
  }
}

/** How many a structure of the edge holds, as its metric says it. */
export const sizeOf = (
  edge: OpenEdge,
  structure: 'connections' | 'feeds' | 'strangers' | 'recoveries' | 'background',
): Promise<number> => edge.metric('structure_entries', `{structure="edge_${structure}"}`)

/** Nothing is left of any connection, neither here nor in the fabric. */
export const untilEmpty = (edge: OpenEdge): Promise<void> =>
  until(async () => {
    const { connections, subscriptions } = edge.memory.sizes()
    const structures = ['connections', 'feeds', 'strangers', 'recoveries', 'background'] as const
    const here = await Promise.all(structures.map((structure) => sizeOf(edge, structure)))
    return [connections, subscriptions, ...here].every((size) => size === 0)
  }, 'nothing is left of any connection')

/** Asks and waits for the answer. */
export async function echo(client: WireClient): Promise<void> {
  const requestId = randomId()
  client.send({ type: 'ping', requestId })
  await client.waitFor('pong', (pong) => pong.requestId === requestId)
}

export const tokenOf = (user: string, ttlMs = 3_600_000): Promise<string> =>
  signToken({ secret: SECRET, userId: user, ttlMs })

/** Waits until something that has no event of its own has come about. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, withinMs = 10_000): Promise<void> {
  const end = Date.now() + withinMs
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${withinMs} ms until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
