import type { Registration, Registry, UserId } from '@chatbox/core'
import type { Seals } from './seals.ts'

/** Rows have nothing to seal: ids of connections, devices and edges, under the user's tag. */
export function sealedRegistry(registry: Registry, seals: Seals): Registry {
  const tagOf = (uid: UserId) => seals.user(uid).tag
  const restored = (rows: readonly Registration[], uid: UserId) => rows.map((row) => ({ ...row, uid }))

  return {
    async register(row, cap) {
      const result = await registry.register({ ...row, uid: tagOf(row.uid) }, cap)
      return result.kind === 'registered'
        ? { ...result, replaced: restored(result.replaced, row.uid) }
        : { ...result, others: restored(result.others, row.uid) }
    },
    unregister: async ({ uid, connectionId }) => registry.unregister({ uid: tagOf(uid), connectionId }),
    list: async (uid) => restored(await registry.list(tagOf(uid)), uid),
    count: async (uid) => registry.count(tagOf(uid)),
    renew: (edge) => registry.renew(edge),
    leave: (edge) => registry.leave(edge),
  }
}
