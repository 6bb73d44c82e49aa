import { type Disabled, type UserId, userId, versionOfDisabled } from '@chatbox/core'
import { listOf, script, textOf } from './connection/script.ts'
import type { Store } from './connection/store.ts'
import type { Keys } from './keys.ts'

/** KEYS the list. ARGV the version that the caller knows. */
const readList = script(
  'read-disabled',
  `
local version = redis.call('HGET', KEYS[1], 'version')
if not version then return {} end
if version == ARGV[1] then return {version} end
return {version, redis.call('HGET', KEYS[1], 'users')}
`,
)

/** KEYS the list, which is the channel's name too. ARGV version, users. */
const replaceList = script(
  'replace-disabled',
  `
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'users', ARGV[2])
redis.call('SPUBLISH', KEYS[1], '')
`,
)

/** Read whole, because it is short and rarely another; by its version, because it is asked for all the time. */
export function createDisabled(store: Store, keys: Keys): Disabled {
  return {
    async read(known = '') {
      const [version, users] = listOf(await store.call(readList, [keys.disabled], [known]))
      if (version === undefined) return undefined
      if (users === undefined) return 'same'
      const text = textOf(users)
      const uids = new Set<UserId>(text === '' ? [] : text.split('\n').map(userId))
      return { version: textOf(version), has: (uid) => uids.has(uid) }
    },
    async replace(uids) {
      const version = versionOfDisabled(uids)
      await store.call(replaceList, [keys.disabled], [version, uids.join('\n')])
      return version
    },
    async onChange(listener) {
      // What was missed may have been a word of a change.
      const leave = await store.subscribe(keys.disabled, { message: () => listener(), gap: () => listener() })
      return async () => leave()
    },
  }
}
