import type { RedisOptions } from 'ioredis'
import type { RedisAddress } from './address.ts'
import type { Endpoint } from './faults.ts'
import { TlsConnector } from './tls-connector.ts'

export interface ConnectionTimes {
  /** No answer by then is no answer; the connection is made anew (a stopped Redis still accepts TCP). */
  readonly commandMs: number
  readonly connectMs: number
  /** The longest pause between two tries to connect. */
  readonly retryMs: number
  /** How often a subscriber is asked to prove that it hears, and how long it may take. Together below 15 s. */
  readonly probeMs: number
  readonly probeTimeoutMs: number
  /** How long a channel that nobody wants any more stays subscribed, because people come back. */
  readonly lingerMs: number
  /** How often the layout of a cluster is looked at, beside each time that it proves to be another. */
  readonly layoutMs: number
}

export const defaultConnectionTimes: ConnectionTimes = {
  commandMs: 2_000,
  connectMs: 3_000,
  retryMs: 2_000,
  probeMs: 5_000,
  probeTimeoutMs: 5_000,
  lingerMs: 2_000,
  layoutMs: 15_000,
}

/** Who one is to sentinels that ask for it; the servers' own users are in the address. */
export interface SentinelLogin {
  readonly username?: string | undefined
  readonly password?: string | undefined
}

/** All that it takes to connect to one role's Redis. */
export interface Server {
  readonly address: RedisAddress
  readonly times: ConnectionTimes
  /** The authority that signed the servers' certificates, as PEM, where it is none that everybody knows. */
  readonly ca: string | undefined
  readonly sentinel: SentinelLogin | undefined
}

/** The shapes of replies are those that all servers give. */
export type ConnectionOptions = RedisOptions & { replyMapping?: 'legacy' }

/**
 * Nothing is sent twice and nothing waits for a connection (R24): a script that was on its way when the connection broke may have
 * run, and only the one who asked can know what to do about it.
 */
export function ioredisOptions({ address, times, ca, sentinel }: Server, endpoint?: Endpoint): ConnectionOptions {
  const { username, password, db } = address
  const tls = address.tls ? (ca === undefined ? {} : { ca }) : undefined
  return {
    lazyConnect: true,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: times.connectMs,
    commandTimeout: times.commandMs,
    disconnectTimeout: 100,
    disableClientInfo: true,
    keepAlive: 10_000,
    retryStrategy: (tries) =>
      Math.round(Math.min(times.retryMs, 25 * 2 ** Math.min(tries, 10)) * (0.5 + Math.random() / 2)),
    // After a failover this connection is to the wrong server.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    db,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls }),
    ...(tls && address.kind !== 'sentinel' && { Connector: TlsConnector }),
    ...(endpoint && { host: endpoint.host, port: endpoint.port }),
    ...(address.kind === 'sentinel' && {
      sentinels: [...address.hosts],
      name: address.master ?? '',
      // One that hangs must not keep the others from being asked.
      sentinelCommandTimeout: times.commandMs,
      ...(sentinel?.username !== undefined && { sentinelUsername: sentinel.username }),
      ...(sentinel?.password !== undefined && { sentinelPassword: sentinel.password }),
      ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
    }),
  }
}
