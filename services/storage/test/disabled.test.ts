import { type Disabled, type DisabledUsers, Unavailable } from '@chatbox/core'
import { afterEach, expect, it, vi } from 'vitest'
import { type Bench, bench, user } from './fixture.ts'

const [ada, bob] = [user('ada'), user('bob')]
let b: Bench
afterEach(() => b.close())

const fast = { mirrorLookMs: 10 }

/** Who is on the mirror, of the two. */
async function mirrored(): Promise<string[] | undefined> {
  const list = await b.deps.fabric.disabled.read()
  if (list === undefined || list === 'same') return undefined
  return [ada, bob].filter((uid) => list.has(uid))
}

const soon = (expected: string[]) =>
  vi.waitFor(async () => expect(await mirrored()).toEqual(expected), { timeout: 5_000 })

it('disabled users are mirrored at the start, even if there are none (R23)', async () => {
  b = await bench({ times: fast })
  expect(await mirrored()).toEqual([])
})

it('they are mirrored at the next look when the list has changed, when the mirror has lost it, and when it has an older one', async () => {
  b = await bench({ times: fast })
  await b.deps.disabledUsers.set(ada, true)
  await soon([ada])
  b.memory.empty('realtime')
  await soon([ada])
  await b.deps.disabledUsers.set(bob, true)
  await soon([ada, bob])
  // As a replica has it that lagged when it was made the master.
  await b.deps.fabric.disabled.replace([ada])
  await soon([ada, bob])
})

it('a mirror that has the list is left alone', async () => {
  let written = 0
  let looks = 0
  const counted = (disabled: Disabled): Disabled => ({
    ...disabled,
    read(known) {
      looks += 1
      return disabled.read(known)
    },
    replace(uids) {
      written += 1
      return disabled.replace(uids)
    },
  })
  b = await bench({
    times: fast,
    wrap: (deps) => ({ ...deps, fabric: { ...deps.fabric, disabled: counted(deps.fabric.disabled) } }),
  })
  await vi.waitFor(() => expect(looks).toBeGreaterThan(5), { timeout: 5_000 })
  expect(written).toBe(1)
})

it('they are mirrored soon after they changed, and not written again and again where they did not', async () => {
  let written = 0
  const counted = (disabled: Disabled): Disabled => ({
    ...disabled,
    async replace(uids) {
      written += 1
      return disabled.replace(uids)
    },
  })
  b = await bench({
    times: fast,
    wrap: (deps) => ({ ...deps, fabric: { ...deps.fabric, disabled: counted(deps.fabric.disabled) } }),
  })
  await b.deps.disabledUsers.set(ada, true)
  await soon([ada])
  await b.deps.disabledUsers.set(ada, false)
  await soon([])
  // At the start, and once for each change.
  expect(written).toBe(3)
})

it('a mirror that is away keeps storage neither from starting nor from mirroring later', async () => {
  let away = true
  const unless = (disabled: Disabled): Disabled => ({
    ...disabled,
    replace: async (uids) => {
      if (away) throw new Unavailable('away')
      return disabled.replace(uids)
    },
  })
  b = await bench({
    times: fast,
    wrap: (deps) => ({ ...deps, fabric: { ...deps.fabric, disabled: unless(deps.fabric.disabled) } }),
  })
  expect(await mirrored()).toBeUndefined()
  away = false
  await soon([])
  expect(b.log.filter((line) => line.includes('could not be mirrored'))).toHaveLength(1)
})

it('a change that was made and mirrored meanwhile is not taken back', async () => {
  let meddle: (() => Promise<void>) | undefined
  const meddled = (users: DisabledUsers): DisabledUsers => ({
    ...users,
    async list() {
      const uids = await users.list()
      const once = meddle
      meddle = undefined
      await once?.()
      return uids
    },
  })
  b = await bench({ times: fast, wrap: (deps) => ({ ...deps, disabledUsers: meddled(deps.disabledUsers) }) })
  meddle = async () => {
    await b.deps.disabledUsers.set(ada, true)
    await b.deps.fabric.disabled.replace([ada])
  }
  b.memory.empty('realtime')
  await vi.waitFor(() => expect(meddle).toBeUndefined())
  await soon([ada])
})
