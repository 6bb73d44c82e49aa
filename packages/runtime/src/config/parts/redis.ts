import { z } from 'zod'
import { group, mapped } from '../group.ts'
import type { Codec } from '../setting.ts'
import { type Setting, setting } from '../setting.ts'

/** The two roles that may be two servers (R11): events and registry may be lost, the queue may not. */
export interface RedisConfig {
  readonly realtimeUrl: string
  readonly queueUrl: string
  /** The authority that signed the servers' certificates, as PEM. */
  readonly ca: string | undefined
  /** Who one is to the sentinels, where they ask for it. */
  readonly sentinel: { readonly username: string | undefined; readonly password: string | undefined }
  readonly prefix: string
}

const ADVICE = 'redis://host:6379, rediss:// for TLS, redis+sentinel://host,host/NAME, redis+cluster://host,host'

/** Throws a TypeError with a sentence that names no password where the address is none. */
export type ReadRedisAddress = (address: string) => unknown

const redisUrl = (readAddress: ReadRedisAddress): Codec<string> =>
  z.string().superRefine((raw, context) => {
    const refuse = (message: string) => context.addIssue({ code: 'custom', message })
    if (!/^rediss?(\+(sentinel|cluster))?:\/\/[^\s]+$/.test(raw)) return refuse(`must be an address such as ${ADVICE}`)
    try {
      readAddress(raw)
    } catch (error) {
      // Any other error may repeat the address, and a password in it.
      refuse(
        error instanceof TypeError ? `is no address that can be used: ${error.message}` : 'is no address of a Redis',
      )
    }
  })

const certificate: Codec<string> = z
  .string()
  .refine((raw) => raw.includes('-----BEGIN CERTIFICATE-----'), 'must be a certificate in PEM form')

/** What has a meaning in the names of keys, or in patterns of them, is left out. */
const keyPrefix: Codec<string> = z
  .string()
  .refine((raw) => /^[A-Za-z0-9_.-]{1,64}$/.test(raw), 'must be 1 to 64 letters, digits, or any of _.-')

/**
 * REDIS_REALTIME_URL and REDIS_QUEUE_URL, or REDIS_URL for both; what they ask for; REDIS_PREFIX. Whoever connects knows what an
 * address may say (X7): what is wrong with one is told with all other faults, and not by a start that fails.
 */
export function redis(readAddress: ReadRedisAddress): Setting<RedisConfig> {
  const codec = redisUrl(readAddress)
  const url = (name: string, about: string) => setting(name, codec, { about, optional: true, secret: true })
  const given = group(
    {
      both: url('REDIS_URL', `Redis for both roles: ${ADVICE}.`),
      realtime: url(
        'REDIS_REALTIME_URL',
        'Redis of events, answers, connections and limits; what it holds may be lost.',
      ),
      queue: url('REDIS_QUEUE_URL', 'Redis of requests and jobs: noeviction, with an append-only file.'),
      ca: setting('REDIS_CA', certificate, {
        about: 'Certificate of the authority that signed those of Redis, as PEM, where it is a private one.',
        optional: true,
        secret: true,
      }),
      sentinelUsername: setting('REDIS_SENTINEL_USERNAME', z.string(), {
        about:
          'User that the sentinels ask for, where it is not the default one; those of the servers are in the addresses.',
        optional: true,
      }),
      sentinelPassword: setting('REDIS_SENTINEL_PASSWORD', z.string(), {
        about: 'Password that the sentinels ask for.',
        optional: true,
        secret: true,
      }),
      prefix: setting('REDIS_PREFIX', keyPrefix, {
        about: 'In front of every key and channel, so that several installations can share a Redis.',
        default: 'chatbox',
      }),
    },
    ({ both, realtime, queue }, source) => {
      const missing = 'is missing, and so is REDIS_URL; one is needed'
      if ((realtime ?? both) === undefined) source.fault('REDIS_REALTIME_URL', missing)
      if ((queue ?? both) === undefined) source.fault('REDIS_QUEUE_URL', missing)
    },
  )
  return mapped(given, ({ both = '', realtime, queue, ca, sentinelUsername, sentinelPassword, prefix }) => ({
    realtimeUrl: realtime ?? both,
    queueUrl: queue ?? both,
    ca,
    sentinel: { username: sentinelUsername, password: sentinelPassword },
    prefix,
  }))
}
