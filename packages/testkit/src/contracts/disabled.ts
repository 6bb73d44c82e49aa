import { type Disabled, type DisabledList, type UserId, userId } from '@chatbox/core'
import { describe, expect, it, vi } from 'vitest'
import { type Build, opener } from './adapter.ts'

const [ada, bob, eve] = [userId('ada'), userId('bob'), userId('{eve}@example.com')]

/** Everything that holds for the list of disabled users, whatever it is kept in. */
export function disabledContract(name: string, build: Build<'disabled'>): void {
  describe(`Disabled on ${name}`, () => {
    const open = opener(build)

    it('has no list at first, which is not the same as a list of nobody', async () => {
      const { disabled } = await open()
      expect(await disabled.read()).toBeUndefined()
      expect(await disabled.read('anything')).toBeUndefined()
      await disabled.replace([])
      expect(among(await listOf(disabled))).toEqual([])
    })

    it('knows those of the list, and nobody else', async () => {
      const { disabled } = await open()
      await disabled.replace([ada, eve])
      expect(among(await listOf(disabled))).toEqual([ada, eve])
    })

    it('has the new list alone after a replacement', async () => {
      const { disabled } = await open()
      await disabled.replace([ada, eve])
      await disabled.replace([bob])
      expect(among(await listOf(disabled))).toEqual([bob])
      await disabled.replace([])
      expect(among(await listOf(disabled))).toEqual([])
    })

    it('does not send a list again to whoever knows it', async () => {
      const { disabled } = await open()
      await disabled.replace([ada])
      const first = await listOf(disabled)
      expect(await disabled.read(first.version)).toBe('same')
      await disabled.replace([ada, bob])
      const second = await listOf(disabled, first.version)
      expect(among(second)).toEqual([ada, bob])
      expect(second.version).not.toBe(first.version)
      // What was read stays as it was read.
      expect(among(first)).toEqual([ada])
    })

    it('gives one list one version, whoever wrote it, in whatever order and whatever was there before', async () => {
      const { disabled } = await open()
      const version = await disabled.replace([ada, bob])
      expect(await disabled.read(version)).toBe('same')
      expect(await disabled.replace([bob, ada, ada])).toBe(version)
      const other = await disabled.replace([ada])
      expect(other).not.toBe(version)
      expect(await disabled.read(version)).toMatchObject({ version: other })
      expect(await disabled.replace([ada, bob])).toBe(version)
      // What separates users where they are kept does not make two lists one.
      expect(await disabled.replace([userId('ada,bob')])).not.toBe(version)
    })

    it('takes a user named twice as one, and a list of thousands whole', async () => {
      const { disabled } = await open()
      const many = Array.from({ length: 5_000 }, (_, i) => userId(`user-${i}`))
      await disabled.replace([...many, ada, ada])
      const list = await listOf(disabled)
      expect(many.every((uid) => list.has(uid))).toBe(true)
      expect(among(list)).toEqual([ada])
    })

    it('has no list when the store has lost everything, whatever the caller knew, and gets another one', async () => {
      const { disabled, empty } = await open()
      await disabled.replace([ada])
      const { version } = await listOf(disabled)
      await empty()
      expect(await disabled.read(version)).toBeUndefined()
      await disabled.replace([bob])
      expect(among(await listOf(disabled, version))).toEqual([bob])
    })

    it('tells everybody who listens, until they leave', async () => {
      const { disabled } = await open()
      const [first, second] = [vi.fn(), vi.fn()]
      const leave = await disabled.onChange(first)
      await disabled.onChange(second)
      await disabled.replace([ada])
      await vi.waitFor(() => expect([first.mock.calls.length, second.mock.calls.length]).toEqual([1, 1]), WAIT)
      await leave()
      await disabled.replace([bob])
      await vi.waitFor(() => expect(second).toHaveBeenCalledTimes(2), WAIT)
      expect(first).toHaveBeenCalledTimes(1)
    })

    it('has the list by the time that it tells of it', async () => {
      const { disabled } = await open()
      const heard = new Promise<DisabledList>((resolve, reject) => {
        void disabled.onChange(() => listOf(disabled).then(resolve, reject))
      })
      await disabled.onChange(() => undefined)
      await disabled.replace([ada])
      expect(among(await heard)).toEqual([ada])
    })
  })
}

const WAIT = { timeout: 5_000, interval: 5 }

const among = (list: DisabledList): UserId[] => [ada, bob, eve].filter((uid) => list.has(uid))

async function listOf(disabled: Disabled, known?: string): Promise<DisabledList> {
  const list = await disabled.read(known)
  if (list === undefined || list === 'same') throw new Error(`there is ${list ?? 'no list'}`)
  return list
}
