import { Cluster, Redis } from 'ioredis'
import { type ConnectionOptions, ioredisOptions } from '../connection/options.ts'
import type { Store } from '../connection/store.ts'

/** A producer's commands fail fast; a worker's wait until its server is back, and one of them blocks. */
export type JobsRole = 'producer' | 'worker'

export interface JobsConnection {
  readonly client: Redis | Cluster
  /** At once, with those that BullMQ made after it; whatever waits there for an answer is rejected. */
  close(): void
}

/** A worker whose server says nothing for this long connects anew. Far longer than its blocking command. */
const SILENT_MS = 10_000

const WORKER: ConnectionOptions = {
  enableOfflineQueue: true,
  autoResendUnfulfilledCommands: true,
  maxRetriesPerRequest: null,
  commandTimeout: undefined,
  socketTimeout: SILENT_MS,
}

/** BullMQ wants clients of ioredis, which follow a cluster by themselves. */
export function connectionFor(store: Pick<Store, 'server' | 'endpoints'>, role: JobsRole): JobsConnection {
  const client = clientFor(store, role)
  const made = new Set<Redis | Cluster>()
  const keep = <C extends Redis | Cluster>(one: C): C => {
    // Told by the store, whose connection is to the same server.
    one.on('error', () => undefined)
    made.add(one)
    return one
  }
  keep(client)
  if (client instanceof Redis) {
    const duplicate = client.duplicate.bind(client)
    client.duplicate = (options) => keep(duplicate(options))
  } else {
    const duplicate = client.duplicate.bind(client)
    client.duplicate = (nodes, options) => keep(duplicate(nodes, options))
  }
  return {
    client,
    close() {
      for (const one of made) one.disconnect()
    },
  }
}

function clientFor({ server, endpoints }: Pick<Store, 'server' | 'endpoints'>, role: JobsRole): Redis | Cluster {
  const { address, times } = server
  const endpoint = address.kind === 'single' ? address.hosts[0] : undefined
  const options: ConnectionOptions = {
    ...ioredisOptions(server, endpoint),
    lazyConnect: false,
    ...(role === 'worker' && WORKER),
  }
  if (address.kind !== 'cluster') return new Redis(options)
  const { enableOfflineQueue, retryStrategy, ...redisOptions } = options
  // Those that the address names may have gone for good by now.
  return new Cluster([...endpoints()], {
    enableOfflineQueue,
    // Where it fails, the promise of that `connect()` never settles, and a worker that awaits it never works again.
    enableReadyCheck: false,
    slotsRefreshTimeout: times.connectMs,
    slotsRefreshInterval: times.layoutMs,
    redisOptions,
    ...(retryStrategy && { clusterRetryStrategy: retryStrategy }),
  })
}
