import { MongoClient, type MongoClientOptions } from 'mongodb'
import { StoreError } from './errors.ts'
import { DEFAULT_ANSWER_MS, type MongoOptions } from './options.ts'

/**
 * A client that says of every write that a majority must have it in its journal, and reads what a majority has, from the primary (P1).
 * It connects when it is first used, and again by itself.
 */
export function connect({ uri, answerMs = DEFAULT_ANSWER_MS, maxConnections = 20 }: MongoOptions): MongoClient {
  // A server that hangs, and not only one that is gone, leaves time for a second try.
  const stepMs = Math.max(1, Math.floor(answerMs / 2))
  return clientOf(uri, {
    appName: 'chatbox',
    maxPoolSize: maxConnections,
    connectTimeoutMS: stepMs,
    socketTimeoutMS: stepMs,
    serverSelectionTimeoutMS: stepMs,
    waitQueueTimeoutMS: stepMs,
    // How soon a server that has come back is noticed where nobody asks for one.
    heartbeatFrequencyMS: 2_000,
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: stepMs },
  })
}

/** For what may take as long as it takes, such as building an index. */
export const connectPatiently = ({ uri, answerMs = DEFAULT_ANSWER_MS }: Pick<MongoOptions, 'uri' | 'answerMs'>) =>
  clientOf(uri, {
    appName: 'chatbox-migrate',
    maxPoolSize: 5,
    connectTimeoutMS: answerMs,
    serverSelectionTimeoutMS: answerMs,
    writeConcern: { w: 'majority', journal: true },
  })

function clientOf(uri: string, options: MongoClientOptions): MongoClient {
  try {
    return new MongoClient(uri, {
      readConcern: { level: 'majority' },
      readPreference: 'primary',
      retryReads: true,
      retryWrites: true,
      ...options,
    })
  } catch {
    // The driver's own error may quote the address, and that may hold a password.
    throw new StoreError('misconfigured', 'The address of MongoDB can’t be read: see the documentation of MONGODB_URI.')
  }
}
