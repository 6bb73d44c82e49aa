import { type DisabledUsers, userId } from '@chatbox/core'
import { afterEach, describe, expect, it } from 'vitest'

export interface DisabledUsersStore {
  readonly disabledUsers: DisabledUsers
  /** The store as somebody finds it who comes later: after a restart, or from another process. */
  again(): Promise<DisabledUsers>
  close(): Promise<void>
}

// What a user id may be: an address, with signs that mean something to a query language.
const [ada, bob, eve] = [userId('ada@example.org'), userId('bob'), userId('{$eve}')]

/** Everything that holds for the list of disabled users in a database. Builds a store for each test, and closes it. */
export function disabledUsersContract(name: string, build: () => Promise<DisabledUsersStore>): void {
  describe(`DisabledUsers on ${name} (R23)`, () => {
    const open: DisabledUsersStore[] = []
    afterEach(async () => {
      await Promise.all(open.splice(0).map((store) => store.close()))
    })
    const opened = async (): Promise<DisabledUsersStore> => {
      const store = await build()
      open.push(store)
      return store
    }

    it('are nobody at first', async () => {
      const { disabledUsers } = await opened()
      expect(await disabledUsers.list()).toEqual([])
    })

    it('are listed once each, however often they were disabled, in one order', async () => {
      const { disabledUsers } = await opened()
      for (const uid of [bob, eve, ada, ada, bob]) await disabledUsers.set(uid, true)
      expect(await disabledUsers.list()).toEqual([ada, bob, eve])
    })

    it('are on it until they are enabled; to enable somebody who is not on it is harmless', async () => {
      const { disabledUsers } = await opened()
      await disabledUsers.set(ada, true)
      await disabledUsers.set(bob, true)
      for (const uid of [ada, ada, eve]) await disabledUsers.set(uid, false)
      expect(await disabledUsers.list()).toEqual([bob])
      await disabledUsers.set(ada, true)
      expect(await disabledUsers.list()).toEqual([ada, bob])
    })

    it('are known to whoever comes later', async () => {
      const store = await opened()
      await store.disabledUsers.set(eve, true)
      const later = await store.again()
      expect(await later.list()).toEqual([eve])
      await later.set(eve, false)
      expect(await later.list()).toEqual([])
    })

    it('may be disabled by 20 at once, one user or many', async () => {
      const { disabledUsers } = await opened()
      const uids = Array.from({ length: 20 }, (_, i) => userId(`user-${String(i).padStart(2, '0')}`))
      await Promise.all(uids.flatMap((uid) => [disabledUsers.set(uid, true), disabledUsers.set(ada, true)]))
      expect(await disabledUsers.list()).toEqual([ada, ...uids])
    })

    it('may be a thousand', async () => {
      const { disabledUsers } = await opened()
      const uids = Array.from({ length: 1_000 }, (_, i) => userId(`user-${String(i).padStart(4, '0')}`))
      for (let i = 0; i < uids.length; i += 50) {
        await Promise.all(uids.slice(i, i + 50).map((uid) => disabledUsers.set(uid, true)))
      }
      expect(await disabledUsers.list()).toEqual(uids)
    })
  })
}
