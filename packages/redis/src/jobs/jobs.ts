import type { Jobs } from '@chatbox/core'
import { listOf, numberOf } from '../connection/script.ts'
import type { Store } from '../connection/store.ts'
import type { Keys } from '../keys.ts'
import type { RedisClocks } from '../options.ts'
import { connectionFor, type JobsRole } from './connections.ts'
import { createConsumer, type OpenConsumer } from './consumer.ts'
import { idOf, keyOf } from './names.ts'
import { createProducer } from './producer.ts'
import { countJobs, existingJobs } from './scripts.ts'

export interface JobsDeps {
  readonly store: Store
  readonly keys: Keys
  readonly clocks: RedisClocks
  /** What a handler threw. */
  readonly onError: (error: unknown) => void
  /** For the log: what went wrong between BullMQ and Redis. It goes on by itself. */
  readonly onFault: (fault: unknown) => void
}

export interface RedisJobs extends Jobs {
  /** Jobs at work here. */
  readonly atWork: number
  close(): void
}

export function createJobs({ store, keys, clocks, onError, onFault }: JobsDeps): RedisJobs {
  const connect = (role: JobsRole) => connectionFor(store, role)
  const producer = createProducer({
    store,
    keys,
    commandMs: clocks.commandMs,
    connect: () => connect('producer'),
    onFault,
  })
  const consumers = new Set<OpenConsumer>()
  const counted = [keyOf(keys, 'wait'), keyOf(keys, 'active')]

  return {
    enqueue: (job) => producer.add(job),
    drop: (job) => producer.remove(job),
    async exists(jobs) {
      if (jobs.length === 0) return []
      const names = jobs.map((job) => keyOf(keys, idOf(job)))
      return listOf(await store.call(existingJobs, names, [])).map((there) => numberOf(there) === 1)
    },
    async depth() {
      const [waiting, active] = listOf(await store.call(countJobs, counted, []))
      return { waiting: numberOf(waiting), active: numberOf(active) }
    },
    async consume(handler, { concurrency }) {
      const connectWorker = () => connect('worker')
      const consumer = createConsumer({
        keys,
        clocks,
        concurrency,
        handler,
        connect: connectWorker,
        onError,
        onFault,
      })
      consumers.add(consumer)
      return {
        async stop() {
          await consumer.stop()
          consumers.delete(consumer)
        },
      }
    },
    get atWork() {
      return [...consumers].reduce((sum, { atWork }) => sum + atWork, 0)
    },
    close() {
      producer.close()
      for (const consumer of consumers) consumer.close()
      consumers.clear()
    },
  }
}
