import { z } from 'zod'
import { duration, integer } from '../codecs/values.ts'
import { group, mapped } from '../group.ts'
import { type Codec, type Setting, setting } from '../setting.ts'

export interface MongoConfig {
  readonly uri: string
  readonly database: string
}

/** Throws where the address is none that it can use. */
export type ReadMongoAddress = (address: string) => unknown

const mongoUri = (readAddress: ReadMongoAddress): Codec<string> =>
  z.string().superRefine((raw, context) => {
    const refuse = (message: string) => context.addIssue({ code: 'custom', message })
    if (!/^mongodb(\+srv)?:\/\/[^\s]+$/.test(raw)) return refuse(`must be an address such as ${ADVICE}`)
    try {
      readAddress(raw)
    } catch {
      // The error may repeat the address, and a password in it.
      refuse(`is no address that can be used; one is ${ADVICE}`)
    }
  })

const ADVICE = 'mongodb://host:27017/?replicaSet=rs0'

const databaseName: Codec<string> = z.string().regex(/^[A-Za-z0-9_-]{1,63}$/, 'must be 1 to 63 letters, digits, _ or -')

/**
 * MONGODB_URI (user, TLS and replica set are in it) and MONGODB_DATABASE. Whoever connects knows what an address may say (X7): what is
 * wrong with one is told with all other faults, and not by a start that fails.
 */
export function mongo(readAddress: ReadMongoAddress): Setting<MongoConfig> {
  return group({
    uri: setting('MONGODB_URI', mongoUri(readAddress), {
      about: 'MongoDB: mongodb://host:27017/?replicaSet=rs0, with user and TLS in it.',
      secret: true,
    }),
    database: setting('MONGODB_DATABASE', databaseName, {
      about: 'Database of the conversations.',
      default: 'chatbox',
    }),
  })
}

export interface KeepingConfig {
  readonly retentionMs: number | undefined
  readonly tokensPerDay: number | undefined
}

const DAY_MS = 86_400_000

/** RETENTION_DAYS and TOKENS_PER_USER_AND_DAY; 0 is no limit. */
export function keeping(): Setting<KeepingConfig> {
  const days = setting('RETENTION_DAYS', integer({ max: 36_500 }), {
    about: 'Sessions without activity for so many days are erased; 0 keeps them.',
    default: '0',
  })
  const tokens = setting('TOKENS_PER_USER_AND_DAY', integer(), {
    about: 'Tokens that the answers of one user may cost in a day (UTC); 0 is no limit.',
    default: '0',
  })
  return mapped(group({ days, tokens }), (value) => ({
    retentionMs: value.days > 0 ? value.days * DAY_MS : undefined,
    tokensPerDay: value.tokens > 0 ? value.tokens : undefined,
  }))
}

/** DATA_KEY_TTL: a rotation lets data keys go after twice this, so all that use one database have to be told the same (R28, R30). */
export function dataKeyTtl(): Setting<number> {
  return setting('DATA_KEY_TTL', duration({ min: 1_000, max: 86_400_000 }), {
    about:
      'How long a process uses the data keys of a session that it has read; a rotation that seals values anew takes twice as long. The same for all.',
    default: '10m',
  })
}

/** ROTATION_RATE: people have the database to themselves, but for this. */
export function rotationRate(): Setting<number> {
  return setting('ROTATION_RATE', integer({ min: 1, max: 1_000_000 }), {
    about: 'Calls of the database a second that a rotation of keys may make.',
    default: '500',
  })
}
