import { once } from 'node:events'
import { type Job, Unavailable } from '@chatbox/core'
import { Queue } from 'bullmq'
import { faultOf } from '../connection/faults.ts'
import type { Store } from '../connection/store.ts'
import type { Keys } from '../keys.ts'
import type { JobsConnection } from './connections.ts'
import { idOf, keyOf, QUEUE } from './names.ts'

export interface ProducerDeps {
  readonly store: Store
  readonly keys: Keys
  readonly commandMs: number
  connect(): JobsConnection
  readonly onFault: (fault: unknown) => void
}

export interface Producer {
  add(job: Job): Promise<void>
  remove(job: Job): Promise<void>
  close(): void
}

interface Adding {
  readonly job: Job
  done(): void
  failed(fault: unknown): void
}

/** Nobody reads BullMQ's events; it writes them all the same. */
const EVENTS_KEPT = 100

const OPTIONS = { attempts: 1, removeOnComplete: true, removeOnFail: true }

/** Puts jobs into the queue, all of one turn at once. Its connection is made when it is first needed: most processes add none. */
export function createProducer({ store, keys, commandMs, connect, onFault }: ProducerDeps): Producer {
  const meta = keyOf(keys, 'meta')
  let open: { readonly connection: JobsConnection; readonly queue: Queue<Job> } | undefined
  let adding: Adding[] = []
  let closed = false
  /** The life of the server that knows how many events to keep. */
  let told: string | undefined

  function queueOf() {
    if (closed) throw new Unavailable('the jobs were closed')
    if (open) return open
    const connection = connect()
    const queue = new Queue<Job>(QUEUE, {
      connection: connection.client,
      prefix: keys.jobs,
      skipVersionCheck: true,
      skipMetasUpdate: true,
    })
    queue.on('error', onFault)
    open = { connection, queue }
    return open
  }

  /** Settles within the command timeout, whatever BullMQ waits for; what was sent may still be done. */
  async function within<T>(work: (queue: Queue<Job>) => Promise<T>): Promise<T> {
    const over = new AbortController()
    let timer: NodeJS.Timeout | undefined
    try {
      // Known to be away: nothing is sent.
      store.runAt(meta)
      const { connection, queue } = queueOf()
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          // A server that hangs keeps what it was sent; a new connection has none of it (P10).
          if (connection.client.status === 'ready') connection.client.disconnect(true)
          reject(new Unavailable('Redis did not answer'))
        }, commandMs)
      })
      return await Promise.race([ready(connection, over.signal).then(() => work(queue)), late])
    } catch (error) {
      throw faultOf(error)
    } finally {
      clearTimeout(timer)
      over.abort()
    }
  }

  async function keepFewEvents(): Promise<void> {
    const run = store.runAt(meta)
    if (run === told) return
    await store.command(meta, 'HSET', meta, 'opts.maxLenEvents', EVENTS_KEPT)
    told = run
  }

  async function flush(): Promise<void> {
    const batch = adding
    adding = []
    try {
      await within(async (queue) => {
        await keepFewEvents()
        await queue.addBulk(
          batch.map(({ job: { sid, answerId, n } }) => ({
            name: QUEUE,
            data: { sid, answerId, n },
            opts: { ...OPTIONS, jobId: idOf({ sid, answerId, n }) },
          })),
        )
      })
      for (const { done } of batch) done()
    } catch (fault) {
      for (const { failed } of batch) failed(fault)
    }
  }

  return {
    add: (job) =>
      new Promise((done, failed) => {
        if (adding.push({ job, done, failed }) === 1) setImmediate(flush)
      }),
    async remove(job) {
      await within((queue) => queue.remove(idOf(job)))
    },
    close() {
      closed = true
      open?.queue.close().catch(onFault)
      open?.connection.close()
    },
  }
}

/** It is made after that of the store, and comes back after it. */
async function ready({ client }: JobsConnection, signal: AbortSignal): Promise<void> {
  if (client.status !== 'ready') await once(client, 'ready', { signal })
}
