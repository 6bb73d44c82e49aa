import { ingestContract } from '@chatbox/testkit/contracts'
import { onEachRedis } from './support/servers.ts'
import { storeOn } from './support/store.ts'

await onEachRedis((name, redis) => ingestContract(name, storeOn(redis)))
