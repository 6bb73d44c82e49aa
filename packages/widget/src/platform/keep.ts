/** A few strings that survive a reload. Where storage is forbidden or full, nothing is kept and nothing breaks. */
export interface Keep {
  read(key: string): string | undefined
  /** Without a value the key is removed. */
  write(key: string, value?: string): void
  keys(): string[]
}

const PREFIX = 'chatbox.'

/** `storage` is a function because even reading `window.sessionStorage` throws where it is forbidden. */
export function createKeep(storage: () => Storage): Keep {
  const attempt = <T>(action: (storage: Storage) => T, otherwise: T): T => {
    try {
      return action(storage())
    } catch {
      return otherwise
    }
  }
  return {
    read: (key) => attempt((store) => store.getItem(PREFIX + key) ?? undefined, undefined),
    write: (key, value) =>
      attempt(
        (store) => (value === undefined ? store.removeItem(PREFIX + key) : store.setItem(PREFIX + key, value)),
        undefined,
      ),
    keys: () =>
      attempt(
        (store) =>
          Array.from({ length: store.length }, (_, n) => store.key(n) ?? '')
            .filter((key) => key.startsWith(PREFIX))
            .map((key) => key.slice(PREFIX.length)),
        [],
      ),
  }
}
