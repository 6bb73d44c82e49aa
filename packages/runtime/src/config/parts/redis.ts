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
}

const ADVICE = 'redis://host:6379, rediss:// for TLS, redis+sentinel://host,host/NAME, redis+cluster://host,host'

const redisUrl: Codec<string> = z
  .string()
  .refine((raw) => /^rediss?(\+(sentinel|cluster))?:\/\/[^\s]+$/.test(raw), `must be an address such as ${ADVICE}`)

const certificate: Codec<string> = z
  .string()
  .refine((raw) => raw.includes('-----BEGIN CERTIFICATE-----'), 'must be a certificate in PEM form')

const url = (name: string, about: string) => setting(name, redisUrl, { about, optional: true, secret: true })

/** REDIS_REALTIME_URL and REDIS_QUEUE_URL, or REDIS_URL for both; REDIS_CA. */
export function redis(): Setting<RedisConfig> {
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
    },
    ({ both, realtime, queue }, source) => {
      const missing = 'is missing, and so is REDIS_URL; one is needed'
      if ((realtime ?? both) === undefined) source.fault('REDIS_REALTIME_URL', missing)
      if ((queue ?? both) === undefined) source.fault('REDIS_QUEUE_URL', missing)
    },
  )
  return mapped(given, ({ both = '', realtime, queue, ca }) => ({
    realtimeUrl: realtime ?? both,
    queueUrl: queue ?? both,
    ca,
  }))
}
