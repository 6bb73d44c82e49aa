import { describe, expect, test } from 'vitest'
import { createDevice, type DevicePlatform } from '../src/device.ts'

/** The locks of one browser, as far as `ifAvailable` goes. */
function browserLocks() {
  const taken = new Set<string>()
  const locks: DevicePlatform['locks'] = {
    async request(name, options, run) {
      if (options.ifAvailable !== true) throw new Error('would wait')
      if (taken.has(name)) return run(null)
      taken.add(name)
      try {
        return await run({ name })
      } finally {
        taken.delete(name)
      }
    },
  }
  return { locks, taken }
}

/** The session storage of one tab; a duplicated tab begins with a copy. */
function tab(copied?: Map<string, string>) {
  const items = new Map(copied)
  const page = new EventTarget()
  return {
    items,
    page,
    storage: {
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, value: string) => void items.set(key, value),
      removeItem: (key: string) => void items.delete(key),
    },
    leave: () => page.dispatchEvent(new Event('pagehide')),
    comeBack: () => page.dispatchEvent(new Event('pageshow')),
  }
}

const wellFormed = /^[A-Za-z0-9_.:-]{1,64}$/

test('an id that the app gives is taken as it is', async () => {
  const device = createDevice('phone', { storage: tab().storage })
  expect(await device.acquire()).toBe('phone')
  device.release()
})

test('outside of browsers each chat has its own', async () => {
  const first = createDevice(undefined)
  const id = await first.acquire()
  expect(id).toMatch(wellFormed)
  expect(await first.acquire()).toBe(id)
  expect(await createDevice(undefined).acquire()).not.toBe(id)
})

describe('with locks', () => {
  test('it survives a reload', async () => {
    const { locks } = browserLocks()
    const { storage } = tab()
    const before = createDevice(undefined, { storage, locks })
    const id = await before.acquire()
    expect(id).toMatch(wellFormed)
    expect(await before.acquire()).toBe(id)
    before.release()
    expect(await createDevice(undefined, { storage, locks }).acquire()).toBe(id)
  })

  test('a reload that asks before the old page has let go gets it too', async () => {
    const { locks } = browserLocks()
    const { storage } = tab()
    const before = createDevice(undefined, { storage, locks })
    const id = await before.acquire()
    const after = createDevice(undefined, { storage, locks }).acquire()
    before.release()
    expect(await after).toBe(id)
  })

  test('a duplicated tab gets one of its own and keeps that', async () => {
    const { locks } = browserLocks()
    const first = tab()
    const id = await createDevice(undefined, { storage: first.storage, locks }).acquire()
    const copy = tab(first.items)
    const second = createDevice(undefined, { storage: copy.storage, locks })
    const other = await second.acquire()
    expect(other).toMatch(wellFormed)
    expect(other).not.toBe(id)
    second.release()
    expect(await createDevice(undefined, { storage: copy.storage, locks }).acquire()).toBe(other)
  })

  test('asking twice at once takes one', async () => {
    const { locks, taken } = browserLocks()
    const device = createDevice(undefined, { storage: tab().storage, locks })
    const [one, two] = await Promise.all([device.acquire(), device.acquire()])
    expect(one).toBe(two)
    expect(taken.size).toBe(1)
  })

  test('letting go while it is being taken leaves no lock behind', async () => {
    const { locks, taken } = browserLocks()
    const device = createDevice(undefined, { storage: tab().storage, locks })
    const asked = device.acquire()
    device.release()
    await asked
    await new Promise((resolve) => setImmediate(resolve))
    expect(taken.size).toBe(0)
  })

  test('nonsense in the storage is not used, and locks that are forbidden stop nothing', async () => {
    const { storage, items } = tab(new Map([['chatbox.device', 'not an id!']]))
    const locks: DevicePlatform['locks'] = { request: () => Promise.reject(new Error('SecurityError')) }
    const id = await createDevice(undefined, { storage, locks }).acquire()
    expect(id).toMatch(wellFormed)
    expect(items.get('chatbox.device')).toBe(id)
  })
})

describe('without locks', () => {
  test('it survives a reload', async () => {
    const { storage, page, leave } = tab()
    const id = await createDevice(undefined, { storage, page }).acquire()
    leave()
    expect(await createDevice(undefined, { storage, page }).acquire()).toBe(id)
  })

  test('a tab duplicated from a living one finds nothing to copy', async () => {
    const first = tab()
    const id = await createDevice(undefined, first).acquire()
    const copy = tab(first.items)
    expect(await createDevice(undefined, copy).acquire()).not.toBe(id)
  })

  test('nor from one that was reloaded', async () => {
    const first = tab()
    const id = await createDevice(undefined, first).acquire()
    first.leave()
    const page = new EventTarget()
    expect(await createDevice(undefined, { storage: first.storage, page }).acquire()).toBe(id)
    expect(await createDevice(undefined, tab(first.items)).acquire()).not.toBe(id)
  })

  test('nor from one that came back out of the cache of pages', async () => {
    const first = tab()
    await createDevice(undefined, first).acquire()
    first.leave()
    expect(first.items.size).toBe(1)
    first.comeBack()
    expect(first.items.size).toBe(0)
  })

  test('letting go puts it back', async () => {
    const only = tab()
    const device = createDevice(undefined, only)
    const id = await device.acquire()
    device.release()
    await new Promise((resolve) => setImmediate(resolve))
    expect(await createDevice(undefined, only).acquire()).toBe(id)
  })
})
