import { MongoClient, type MongoClientOptions } from 'mongodb'
import { StoreError } from './errors.ts'
import type { MongoOptions, Settings } from './options.ts'

/**
 * A client that says of every write that a majority must have it in its journal, and reads what a majority has, from the primary (P1).
 * It connects when it is first used, and again by itself.
 */
export function connect({ uri, maxConnections = 20 }: MongoOptions, { stepMs, serverMs }: Settings): MongoClient {
  return clientOf(uri, {
    appName: 'chatbox',
    maxPoolSize: maxConnections,
    connectTimeoutMS: stepMs,
    socketTimeoutMS: stepMs,
    serverSelectionTimeoutMS: stepMs,
    waitQueueTimeoutMS: stepMs,
    // How soon a server that has come back is noticed: where nobody asks for one, and where somebody waits.
    heartbeatFrequencyMS: 2_000,
    minHeartbeatFrequencyMS: 100,
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: serverMs },
  })
}

/** For what may take as long as it takes, such as building an index. */
export const connectPatiently = (uri: string, connectMs: number): MongoClient =>
  clientOf(uri, {
    appName: 'chatbox-migrate',
    maxPoolSize: 5,
    connectTimeoutMS: connectMs,
    serverSelectionTimeoutMS: connectMs,
    writeConcern: { w: 'majority', journal: true },
  })

/** @throws {TypeError} where the driver can't read it; says nothing of what is in it */
export function readMongoUri(uri: string): void {
  try {
    new MongoClient(uri)
  } catch {
    throw new TypeError('the driver of MongoDB can’t read it')
  }
}

/**
 * A driver whose first connection failed stays without one, whatever is asked of it, until it is told to connect. To tell one that is
 * connected costs nothing.
 */
export async function connected(client: MongoClient): Promise<void> {
  await client.connect()
}

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
