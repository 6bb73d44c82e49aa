import { disabledContract } from '@chatbox/testkit/contracts'
import { onEachRedis } from './support/servers.ts'
import { storeOn } from './support/store.ts'

await onEachRedis((name, redis) => disabledContract(name, storeOn(redis)))
