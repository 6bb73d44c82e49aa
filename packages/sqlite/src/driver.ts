import Database from 'libsql'
import { StoreError } from './errors.ts'

export type Value = string | number | Uint8Array | null
export type Row = Readonly<Record<string, Value>>
/** By name, because the driver takes a parameter that was left out for NULL. */
export type Params = Readonly<Record<string, Value>>

export interface Statement {
  /** How many rows it changed. */
  run(params?: Params): number
  one(params?: Params): Row | undefined
  all(params?: Params): Row[]
}

export interface Driver {
  exec(sql: string): void
  prepare(sql: string): Statement
  readonly inTransaction: boolean
  close(): void
}

/** The one place that knows libsql and its ways. */
export function openDriver(file: string, busyTimeoutMs: number): Driver {
  const database = new Database(file, { timeout: busyTimeoutMs })
  return {
    exec(sql) {
      database.exec(sql)
    },
    prepare(sql) {
      // Rows as arrays and values by position: half the cost of the driver's own objects and names.
      const statement = database.prepare(sql)
      if (statement.reader) statement.raw()
      const names = namesIn(sql)
      const columns = statement.columns().map(({ name }) => name)
      const all = (params: Params = {}) =>
        statement.all(bound(names, params)).map((row) => named(columns, row as readonly Value[]))
      return {
        all,
        one: (params) => all(params)[0],
        run: (params = {}) => statement.run(bound(names, params)).changes,
      }
    },
    get inTransaction() {
      return database.inTransaction
    },
    close() {
      database.close()
    },
  }
}

/** In the order in which SQLite counts them: by their first mention. */
const namesIn = (sql: string): readonly string[] => [
  ...new Set(Array.from(sql.matchAll(/:([a-z]\w*)/gi), ([, name]) => name ?? '')),
]

const bound = (names: readonly string[], params: Params): Value[] => names.map((name) => storable(name, params[name]))

/** The driver ends the process on a boolean, cuts strings at a NUL, and gives half a surrogate pair back as another character. */
function storable(name: string, value: unknown): Value {
  if (typeof value === 'string') {
    if (value.includes('\0') || !value.isWellFormed()) {
      throw new StoreError('unstorable', `The text of ${name} has a NUL or half a character in it.`)
    }
    return value
  }
  if (typeof value === 'number' || value instanceof Uint8Array || value === null) return value
  throw new TypeError(`${name} is ${typeof value}, which can't be bound`)
}

/** Blobs come as Buffers, which are no plain bytes to whoever compares or prints them. */
function named(columns: readonly string[], values: readonly Value[]): Row {
  const row: Record<string, Value> = {}
  for (const [i, name] of columns.entries()) {
    const value = values[i] ?? null
    row[name] = Buffer.isBuffer(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : value
  }
  return row
}
