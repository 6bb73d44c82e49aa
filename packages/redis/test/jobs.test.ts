import { randomUUID } from 'node:crypto'
import type { Job } from '@chatbox/core'
import { jobsContract } from '@chatbox/testkit/contracts'
import { createStore } from '../src/connection/store.ts'
import { onEachRedis } from './support/servers.ts'
import { storeOn } from './support/store.ts'

await onEachRedis((name, redis) =>
  jobsContract(name, async (settings) => {
    const prefix = `t${randomUUID().slice(0, 8)}`
    const fabric = await storeOn(redis, { prefix, onError: () => undefined })(settings)
    return {
      ...fabric,
      /** A worker that does not renew its hold. */
      async lose({ answerId, n }: Job) {
        const store = createStore(redis().url)
        const lock = `{${prefix}}:answers:${answerId}-${n}:lock`
        await store.connected(5_000)
        const gone = await store.command(lock, 'DEL', lock)
        await store.close()
        if (gone !== 1) throw new Error('the job is not at work')
      },
    }
  }),
)
