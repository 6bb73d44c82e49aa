import { randomBytes } from 'node:crypto'
import type { RingKey } from '@chatbox/crypto'

/** Keys as processes are told them: the first seals, unless another one is named. */
export interface Ring {
  readonly keys: readonly RingKey[]
  readonly currentId?: string
}

export const newKey = (id: string): RingKey => ({ id, key: randomBytes(32) })

/** In place of the one key that everybody has by default. */
export const ringEnv = ({ keys, currentId }: Ring): NodeJS.ProcessEnv => ({
  ENCRYPTION_KEY: undefined,
  ENCRYPTION_KEYS: keys.map(({ id, key }) => `${id}:${Buffer.from(key).toString('base64')}`).join(','),
  ENCRYPTION_KEY_CURRENT: currentId,
})
