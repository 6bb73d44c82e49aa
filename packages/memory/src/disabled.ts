import { type Disabled, type UserId, versionOfDisabled } from '@chatbox/core'
import type { Channels } from './channels.ts'

export interface MemoryDisabled extends Disabled {
  empty(): void
}

export function createDisabled(changes: Channels<'changes', () => void>): MemoryDisabled {
  let list: { readonly version: string; readonly uids: ReadonlySet<UserId> } | undefined

  return {
    async read(known) {
      if (!list) return undefined
      const { version, uids } = list
      return version === known ? 'same' : { version, has: (uid) => uids.has(uid) }
    },
    async replace(uids) {
      const version = versionOfDisabled(uids)
      list = { version, uids: new Set(uids) }
      changes.post('changes', (listener) => listener())
      return version
    },
    async onChange(listener) {
      const leave = changes.add('changes', listener)
      return async () => leave()
    },
    empty() {
      list = undefined
    },
  }
}
