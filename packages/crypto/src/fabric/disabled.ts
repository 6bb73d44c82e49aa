import { type Disabled, userId } from '@chatbox/core'
import type { Seals } from './seals.ts'

/** The list holds tags; whoever asks about a user asks with the user's tag. */
export function taggedDisabled(disabled: Disabled, seals: Seals): Disabled {
  return {
    async read(known) {
      const list = await disabled.read(known)
      if (list === undefined || list === 'same') return list
      return { version: list.version, has: (uid) => list.has(seals.user(uid).tag) }
    },
    // Not from the users at hand: a long list would drive out the keys of those who are connected.
    replace: async (uids) => disabled.replace(uids.map((uid) => userId(seals.tag(uid, 'user')))),
    onChange: (listener) => disabled.onChange(listener),
  }
}
