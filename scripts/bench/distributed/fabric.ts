import type { Fabric } from '@chatbox/core'
import { createKeyring, sealedFabric } from '@chatbox/crypto'
import { redisFabric } from '@chatbox/redis'

/** What storage and workers see of Redis: sealed with the key that edges open with. */
export async function openFabric(
  redisUrl: string,
  key: Uint8Array,
): Promise<{ fabric: Fabric; close(): Promise<void> }> {
  const redis = redisFabric({ realtimeUrl: redisUrl, queueUrl: redisUrl })
  await redis.start()
  const keyring = createKeyring({ keys: [{ id: 'k1', key }] })
  const unopenable = () => {
    throw new Error('what was sealed a moment ago does not open')
  }
  return { fabric: sealedFabric(redis, keyring, { onUnopenable: unopenable }), close: () => redis.close() }
}
