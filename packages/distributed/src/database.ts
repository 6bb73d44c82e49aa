import { type Audit, type DisabledUsers, type Leases, type SealedConversations, Unavailable } from '@chatbox/core'
import { checkRing, type KeyedConversations, type Keyring, sealedConversations } from '@chatbox/crypto'
import { openMongo } from '@chatbox/mongo'
import type { Check, MongoConfig, Part } from '@chatbox/runtime'
import type { Process } from './process.ts'

export interface DistributedDatabase {
  readonly conversations: KeyedConversations
  /** As they are stored, for a rotation of keys. */
  readonly sealed: SealedConversations
  readonly leases: Leases
  readonly disabledUsers: DisabledUsers
  readonly audit: Audit
  readonly check: Check
  /** Refuses to start where a key that is still in use is not in the ring (R28); a database that is away keeps nobody from starting. */
  readonly part: Part
}

export interface DatabaseOptions {
  readonly mongo: MongoConfig
  readonly keyring: Keyring
  /** How long the keys of a session that were read are used: what a rotation waits for, so it has to be the same everywhere. */
  readonly keyTtlMs: number
}

/** Conversations in MongoDB under seal, and what else the services keep there. */
export function distributedDatabase(
  { log, metrics, structures, onUnopenable }: Process,
  { mongo, keyring, keyTtlMs }: DatabaseOptions,
): DistributedDatabase {
  const retries = metrics.counter({
    name: 'mongo_retries_total',
    help: 'Calls to MongoDB that were tried again, by what was wanted.',
    labels: ['what'],
  })
  const database = openMongo({
    ...mongo,
    onRetry({ what, attempt, delayMs, error }) {
      retries.inc({ what })
      log.warn({ err: error, what, attempt, delayMs }, 'MongoDB did not do it, trying again')
    },
  })
  const conversations = sealedConversations(database.conversations, keyring, { onUnopenable, keyTtlMs })
  structures.track({ name: 'keys_sessions', size: () => conversations.keysAtHand, warnAbove: 9_000 })
  let ringChecked: Promise<unknown> | undefined

  /** One look for all who ask, however long it takes with many sessions. */
  async function checkRingOnce(): Promise<void> {
    ringChecked ??= checkRing(database.conversations, keyring)
    try {
      await ringChecked
    } catch (error) {
      ringChecked = undefined
      throw error
    }
  }

  return {
    conversations,
    sealed: database.conversations,
    leases: database.leases,
    disabledUsers: database.disabledUsers,
    audit: database.audit,
    check: {
      name: 'mongodb',
      async ping() {
        await database.conversations.ping()
        await checkRingOnce()
      },
    },
    part: {
      name: 'mongodb',
      async start() {
        try {
          await checkRingOnce()
        } catch (err) {
          if (!(err instanceof Unavailable)) throw err
          log.warn({ err }, 'MongoDB cannot be used yet')
        }
      },
      stop: () => database.close(),
    },
  }
}
