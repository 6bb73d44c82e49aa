import { integer } from '../codecs/values.ts'
import { group } from '../group.ts'
import { type Setting, setting } from '../setting.ts'

const count = (name: string, about: string, fallback: number): Setting<number> =>
  setting(name, integer({ min: 1, max: 1_000_000 }), { about, default: `${fallback}` })

/** TRUSTED_PROXY_HOPS (security 21). */
export function trustedProxyHops(): Setting<number> {
  return setting('TRUSTED_PROXY_HOPS', integer({ max: 16 }), {
    about: 'Proxies in front whose X-Forwarded-For is believed; 0 reads no such header.',
    default: '0',
  })
}

/** HANDSHAKES_PER_SECOND (fault 28). */
export function handshakesPerSecond(): Setting<number> {
  return count('HANDSHAKES_PER_SECOND', 'Newcomers that a process lets in; the others are told when to come back.', 500)
}

export interface ConnectionCaps {
  /** Over all edges (S3). */
  readonly perUser: number
  /** Sockets of one address that have not said who they are yet (security 4). */
  readonly unauthenticatedPerAddress: number
}

export function connectionCaps(): Setting<ConnectionCaps> {
  return group({
    perUser: count('MAX_CONNECTIONS_PER_USER', 'Connections that one user may have at once.', 10),
    unauthenticatedPerAddress: count(
      'MAX_UNAUTHENTICATED_PER_ADDRESS',
      'Sockets of one address that may be without a token at once.',
      1_000,
    ),
  })
}

/** How many a minute (X6). */
export interface RateLimits {
  readonly messages: number
  readonly requests: number
  readonly handshakes: number
}

export function rateLimits(): Setting<RateLimits> {
  return group({
    messages: count('RATE_LIMIT_MESSAGES', 'Messages a minute per user.', 60),
    requests: count('RATE_LIMIT_REQUESTS', 'Frames a minute per user that ask for something else than a message.', 300),
    handshakes: count(
      'RATE_LIMIT_HANDSHAKES',
      'Handshakes a minute per address that failed, or never said who they are.',
      30,
    ),
  })
}

/** RATE_LIMIT_REST (X6). */
export function restLimit(): Setting<number> {
  return count('RATE_LIMIT_REST', 'Calls over REST a minute per user.', 120)
}

/** RATE_LIMIT_SHARED: what anybody may call has no user to count for. */
export function sharedLimit(): Setting<number> {
  return count('RATE_LIMIT_SHARED', 'Calls over REST a minute per address without a token, such as through a link.', 60)
}
