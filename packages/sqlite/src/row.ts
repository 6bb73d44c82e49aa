import type { Row } from './driver.ts'
import { StoreError } from './errors.ts'

/** Reads columns as what the schema says they are. */
export interface Columns {
  text(name: string): string
  number(name: string): number
  flag(name: string): boolean
  bytes(name: string): Uint8Array
  /** One of a closed set of words, which this adapter wrote there itself. */
  word<W extends string>(name: string): W
  /** Some of them, with blanks between. */
  words<W extends string>(name: string): W[]
  /** The object with this one field, or without it where the column is NULL. */
  maybeText<K extends string, T extends string = string>(name: string, field: K): { [key in K]?: T }
  maybeNumber<K extends string>(name: string, field: K): { [key in K]?: number }
  maybeBytes<K extends string>(name: string, field: K): { [key in K]?: Uint8Array }
}

export function columnsOf(row: Row): Columns {
  const wrong = (name: string): never => {
    throw new StoreError('corrupt', `The database has something unexpected in the column ${name}.`)
  }
  const text = (name: string) => {
    const value = row[name]
    return typeof value === 'string' ? value : wrong(name)
  }
  const number = (name: string) => {
    const value = row[name]
    return typeof value === 'number' ? value : wrong(name)
  }
  const bytes = (name: string) => {
    const value = row[name]
    return value instanceof Uint8Array ? value : wrong(name)
  }
  const maybe =
    <V>(read: (name: string) => V) =>
    <K extends string>(name: string, field: K) =>
      (row[name] === null ? {} : { [field]: read(name) }) as { [key in K]?: V }
  return {
    text,
    number,
    bytes,
    flag: (name) => number(name) !== 0,
    word: <W extends string>(name: string) => text(name) as W,
    words: <W extends string>(name: string) => (text(name) === '' ? [] : text(name).split(' ')) as W[],
    maybeText: <K extends string, T extends string>(name: string, field: K) =>
      maybe((column) => text(column) as T)(name, field),
    maybeNumber: maybe(number),
    maybeBytes: maybe(bytes),
  }
}
