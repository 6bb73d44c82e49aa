type Method = (...given: unknown[]) => unknown

/** What reached the methods of an adapter. */
export interface Recording {
  /** `port.method`, each once. */
  readonly called: ReadonlySet<string>
  /** Names of the fields that reached it, but those of bytes. */
  readonly fields: ReadonlySet<string>
  /** Whether the text is anywhere in what reached it. */
  holds(text: string): boolean
}

export function recording(): Recording & { wrap<T extends object>(name: string, adapter: T): T } {
  const called = new Set<string>()
  const fields = new Set<string>()
  const seen: Buffer[] = []

  function note(value: unknown): void {
    if (value instanceof Uint8Array) seen.push(Buffer.from(value))
    else if (typeof value === 'string' || typeof value === 'number') seen.push(Buffer.from(String(value)))
    else if (value instanceof Map) for (const pair of value) note(pair)
    else if (Array.isArray(value)) for (const item of value) note(item)
    else if (typeof value === 'object' && value !== null && !(value instanceof AbortSignal)) {
      for (const [field, inside] of Object.entries(value)) {
        if (inside === undefined) continue
        fields.add(field)
        note(inside)
      }
    }
  }
  return {
    called,
    fields,
    holds: (text) =>
      [Buffer.from(text, 'utf8'), Buffer.from(text, 'utf16le')].some((needle) =>
        seen.some((bytes) => bytes.includes(needle)),
      ),
    wrap: <T extends object>(name: string, adapter: T): T =>
      new Proxy(adapter, {
        get(target, property) {
          const value: unknown = Reflect.get(target, property)
          if (typeof value !== 'function' || typeof property !== 'string') return value
          return (...given: unknown[]) => {
            called.add(`${name}.${property}`)
            note(given)
            return (value as Method).apply(target, given)
          }
        },
      }),
  }
}
