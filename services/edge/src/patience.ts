import { type Fabric, Unavailable } from '@chatbox/core'
import type { EdgeMetrics } from './metrics.ts'

/** The ports that an edge works with. */
export type EdgeFabric = Pick<Fabric, 'bus' | 'answers' | 'ingest' | 'registry' | 'limiter' | 'disabled'>

/** The same ports with an end to every wait: a store that hangs is one that is away (P8). */
export function patient(fabric: EdgeFabric, ms: number, metrics: Pick<EdgeMetrics, 'stores'>): EdgeFabric {
  const port = <P extends keyof EdgeFabric>(name: P): EdgeFabric[P] =>
    patientPort(fabric[name], async (call) => {
      try {
        return await within(ms, call())
      } catch (error) {
        if (error instanceof Unavailable) metrics.stores.inc({ port: name })
        throw error
      }
    })
  return {
    bus: port('bus'),
    answers: port('answers'),
    ingest: port('ingest'),
    registry: port('registry'),
    limiter: port('limiter'),
    disabled: port('disabled'),
  }
}

function patientPort<T extends object>(port: T, patiently: (call: () => Promise<unknown>) => Promise<unknown>): T {
  const methods = Object.entries(port).flatMap(([name, method]) =>
    typeof method === 'function'
      ? [[name, (...args: unknown[]) => patiently(async () => Reflect.apply(method, port, args))]]
      : [],
  )
  // Ports are methods that return promises and nothing else, so each is there again with its own arguments and result.
  return Object.fromEntries(methods) as T
}

/** Rejects with `Unavailable` after this time. A subscription that comes later is ended at once: nobody holds its end any more. */
function within(ms: number, work: Promise<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let over = false
    const timer = setTimeout(() => {
      over = true
      reject(new Unavailable('the store did not answer in time'))
    }, ms)
    work.then(
      (result) => {
        clearTimeout(timer)
        if (!over) resolve(result)
        else if (typeof result === 'function') Promise.resolve(result()).catch(() => undefined)
      },
      (error) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
