import type { Part } from '../lifecycle/part.ts'
import type { Logger } from '../log/logger.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { type Check, createProbe, type ProbeResult } from './probe.ts'
import { createOpsServer } from './server.ts'

export interface OpsResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface OpsOptions {
  metrics: Metrics
  /** The stores that this service uses; asked all at once. */
  checks?: readonly Check[]
  logger?: Logger
  /** How long one check may take. */
  timeoutMs?: number
  /** A port of its own. Without it nothing listens, and another server passes requests to `handle`. */
  listen?: { host: string; port: number }
}

/**
 * Health and metrics (O1, O2). As the first part of a lifecycle it answers during start-up, is ready once all parts
 * are, is unready from the moment a stop begins, and stops last.
 */
export interface Ops extends Part {
  /** The answer to GET of a path, or undefined when the path is none of these. */
  handle(path: string): Promise<OpsResponse | undefined>
  ready(): void
  drain(): void
  addresses(): readonly string[]
}

const READY_TIMEOUT_MS = 2000

type State = 'starting' | 'ready' | 'draining'

export function createOps(options: OpsOptions): Ops {
  const { metrics, checks = [], logger, timeoutMs = READY_TIMEOUT_MS } = options
  const probes = checks.map((check) => ({ name: check.name, probe: createProbe(check, timeoutMs, logger) }))
  let state: State = 'starting'

  async function readiness(): Promise<OpsResponse> {
    if (state !== 'ready') return json(503, { status: state })
    const results = await Promise.all(
      probes.map(async ({ name, probe }): Promise<[string, ProbeResult]> => [name, await probe()]),
    )
    const well = results.every(([, result]) => result === 'ok')
    return json(well ? 200 : 503, { status: well ? 'ready' : 'unready', checks: Object.fromEntries(results) })
  }

  async function metricsText(): Promise<OpsResponse> {
    try {
      return response(200, metrics.contentType, await metrics.text())
    } catch (err) {
      logger?.error({ err }, 'metrics could not be collected')
      return json(500, { error: { code: 'internal' } })
    }
  }

  async function handle(path: string): Promise<OpsResponse | undefined> {
    // Liveness is about the process alone: a shared outage would restart every pod.
    if (path === '/chat/healthz') return json(200, { status: 'ok' })
    if (path === '/chat/readyz') return readiness()
    if (path === '/metrics') return metricsText()
    return undefined
  }

  const server = options.listen ? createOpsServer(handle, options.listen) : undefined

  return {
    name: 'ops',
    handle,
    start: async () => server?.start(),
    stop: async () => server?.stop(),
    addresses: () => server?.addresses() ?? [],
    ready() {
      if (state === 'starting') state = 'ready'
    },
    drain() {
      state = 'draining'
    },
  }
}

function json(status: number, value: unknown): OpsResponse {
  return response(status, 'application/json; charset=utf-8', JSON.stringify(value))
}

function response(status: number, contentType: string, body: string): OpsResponse {
  return {
    status,
    body,
    headers: { 'content-type': contentType, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
  }
}
