import { ID, randomId } from './ids.ts'
import { later } from './later.ts'

/** What this needs of a browser; a part that is missing or forbidden is left out. */
export interface DevicePlatform {
  readonly storage?: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
  readonly locks?: { request(name: string, options: LockOptions, run: (lock: unknown) => unknown): Promise<unknown> }
  /** Where `pagehide` and `pageshow` are heard. */
  readonly page?: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>
}

export interface Device {
  /** The same id until `release`. */
  acquire(): Promise<string>
  release(): void
}

interface Held {
  readonly id: string
  free(): void
}

const KEY = 'chatbox.device'
/** A page that is reloaded may ask before the lock of the page that it replaces is let go. */
const RELOAD_GRACE_MS = 100

/**
 * The device id of a tab: it survives a reload, and a duplicated tab, which starts with a copy of the session storage,
 * gets its own. Otherwise the two would replace each other for ever.
 */
export function createDevice(given: string | undefined, platform: DevicePlatform = browserPlatform()): Device {
  let holding: Promise<Held> | undefined
  return {
    async acquire() {
      if (given !== undefined) return given
      holding ??= hold(platform)
      return (await holding).id
    },
    release() {
      void holding?.then((held) => held.free())
      holding = undefined
    },
  }
}

async function hold({ storage, locks, page }: DevicePlatform): Promise<Held> {
  if (!storage) return { id: randomId(), free: () => undefined }
  return locks ? holdByLock(storage, locks) : holdByAbsence(storage, page)
}

type Store = NonNullable<DevicePlatform['storage']>

async function holdByLock(storage: Store, locks: NonNullable<DevicePlatform['locks']>): Promise<Held> {
  const stored = storage.getItem(KEY)
  if (stored && ID.test(stored)) {
    const free = (await lock(locks, stored)) ?? (await pause(RELOAD_GRACE_MS).then(() => lock(locks, stored)))
    if (free) return { id: stored, free }
  }
  const id = randomId()
  const free = (await lock(locks, id)) ?? (() => undefined)
  storage.setItem(KEY, id)
  return { id, free }
}

/** Resolves to how to let go, or to undefined when somebody else holds it (or locks are forbidden here). */
function lock(locks: NonNullable<DevicePlatform['locks']>, id: string): Promise<(() => void) | undefined> {
  return new Promise((resolve) => {
    const held = (granted: unknown) => {
      if (!granted) return resolve(undefined)
      return new Promise<void>((free) => resolve(free))
    }
    locks.request(`${KEY}.${id}`, { ifAvailable: true }, held).catch(() => resolve(undefined))
  })
}

const pause = (ms: number) => new Promise<void>((resolve) => later(ms, resolve))

/**
 * Without locks: the id is in the storage only while no page uses it, so that a copy made of a living tab has none.
 * A page that is reloaded puts it back as it goes.
 */
function holdByAbsence(storage: Store, page: DevicePlatform['page']): Held {
  const stored = storage.getItem(KEY)
  const id = stored && ID.test(stored) ? stored : randomId()
  const take = () => storage.removeItem(KEY)
  const putBack = () => storage.setItem(KEY, id)
  take()
  page?.addEventListener('pagehide', putBack)
  page?.addEventListener('pageshow', take)
  return {
    id,
    free() {
      page?.removeEventListener('pagehide', putBack)
      page?.removeEventListener('pageshow', take)
      putBack()
    },
  }
}

function browserPlatform(): DevicePlatform {
  if (typeof document === 'undefined') return {}
  const storage = usableStorage()
  // Absent in pages without TLS, whatever the types say.
  const locks: LockManager | undefined = globalThis.navigator?.locks
  return { ...(storage ? { storage } : {}), ...(locks ? { locks } : {}), page: globalThis }
}

/** Reading it throws where the user forbids storage, and so does writing where there is no room. */
function usableStorage(): Storage | undefined {
  try {
    const storage = globalThis.sessionStorage
    storage.setItem(`${KEY}.probe`, '')
    storage.removeItem(`${KEY}.probe`)
    return storage
  } catch {
    return undefined
  }
}
