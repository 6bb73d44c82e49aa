import type { EdgeId, ModelList } from '@chatbox/core'
import type { Limits } from '@chatbox/protocol'
import type { Logger, Structures, Verifier } from '@chatbox/runtime'
import type { DisabledUsers } from './disabled.ts'
import type { Leftovers } from './leftovers.ts'
import type { EdgeMetrics } from './metrics.ts'
import type { Offenders } from './offenders.ts'
import type { OriginRules } from './origins.ts'
import { defaultOutboxLimits, type OutboxLimits } from './outbox.ts'
import { type EdgeFabric, patient } from './patience.ts'
import type { HttpHandler } from './transport/http.ts'

/** Clocks of the edge, all of them configurable (R30). */
export interface EdgeTimes {
  /** From the upgrade to an accepted `hello`. */
  readonly helloMs: number
  /** A peer that is silent this long is gone; the transport pings in time. */
  readonly idleMs: number
  /** How long somebody who asked waits at most (P8). */
  readonly requestMs: number
  /** How long any call to a store may take; less than `requestMs`, so that whoever waits for it hears of it. */
  readonly storeMs: number
  /** So often at most a connection tells the user's other devices that somebody types. */
  readonly typingMs: number
  /** How often the list of disabled users is looked at. */
  readonly disabledMs: number
  /** How often the edge's lease in the registry is renewed. */
  readonly renewMs: number
  /** Clients that must load again, or come back, are spread over this time. */
  readonly spreadMs: number
  /** Over how long a stop spreads the ends of its sockets. Default 0: nobody waits for an edge that is alone. */
  readonly drainMs: number
  /** How long a stop waits for peers to take what they were sent, and for requests to be answered. */
  readonly finishMs: number
}

export const defaultEdgeTimes: EdgeTimes = {
  helloMs: 5_000,
  idleMs: 60_000,
  requestMs: 5_000,
  storeMs: 4_000,
  typingMs: 1_000,
  disabledMs: 2_000,
  renewMs: 5_000,
  spreadMs: 5_000,
  drainMs: 0,
  finishMs: 2_000,
}

export interface EdgeDeps {
  readonly edgeId: EdgeId
  readonly fabric: EdgeFabric
  readonly models: ModelList
  readonly verify: Verifier
  readonly limits: Limits
  readonly origins: OriginRules
  /** Keeps the ids of new sessions from being guessed (R10). */
  readonly sessionSecret: string
  /** Connections of one user, over all edges (S3). */
  readonly maxConnections: number
  readonly partitions: number
  readonly listen: { readonly host: string; readonly port: number }
  readonly log: Logger
  readonly metrics: EdgeMetrics
}

export interface EdgeOptions {
  readonly times?: Partial<EdgeTimes>
  readonly outbox?: Partial<OutboxLimits>
  readonly structures?: Structures
  /**
   * Sockets from one address that may be without an accepted `hello` at once. Default 1 000: room for everyone behind a proxy to
   * come back together.
   */
  readonly strangersPerAddress?: number
  /**
   * Proxies in front of this edge whose X-Forwarded-For is believed. Default 0: the header is never read, and whoever connects is the
   * client.
   */
  readonly trustedHops?: number
  /** Newcomers that are let in, a second; the others are told when to come back. Default 500. */
  readonly handshakesPerSecond?: number
  /** Answers plain HTTP on the same port, for the embedded shape. Without it there is nothing but the socket. */
  readonly http?: HttpHandler
}

/** Everything that is settled before an edge starts. */
export interface EdgeSettings extends EdgeDeps {
  readonly times: EdgeTimes
  readonly outboxLimits: OutboxLimits
  readonly strangersPerAddress: number
  readonly handshakesPerSecond: number
}

/** Everything that is the same for all connections of an edge. */
export interface EdgeContext extends EdgeSettings {
  readonly disabled: Pick<DisabledUsers, 'has'>
  readonly leftovers: Leftovers
  readonly offenders: Offenders
}

export function contextOf(deps: EdgeDeps, options: EdgeOptions): EdgeSettings {
  const times = { ...defaultEdgeTimes, ...options.times }
  return {
    ...deps,
    fabric: patient(deps.fabric, times.storeMs, deps.metrics),
    times,
    outboxLimits: { ...defaultOutboxLimits, ...options.outbox },
    strangersPerAddress: options.strangersPerAddress ?? 1_000,
    handshakesPerSecond: options.handshakesPerSecond ?? 500,
  }
}
