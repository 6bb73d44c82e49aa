import { Binary, type Document } from 'mongodb'
import { StoreError } from './errors.ts'

/**
 * A string that a filter compares with. Half a surrogate pair would be stored as another character, and so one id could pass for
 * another; and what is no string at all could be an operator.
 */
export function text(value: string): string {
  if (typeof value !== 'string') throw new TypeError(`a string was expected, and this is ${typeof value}`)
  if (!value.isWellFormed()) throw new StoreError('unstorable', 'A text has half a character in it.')
  return value
}

export function number(value: number): number {
  if (typeof value !== 'number') throw new TypeError(`a number was expected, and this is ${typeof value}`)
  return value
}

/** The same of every text in a document. */
export function storable<T>(document: T): T {
  if (typeof document === 'string') text(document)
  else if (Array.isArray(document)) document.forEach(storable)
  else if (isPlain(document)) Object.values(document).forEach(storable)
  return document
}

const isPlain = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

export const binary = (bytes: Uint8Array): Binary => new Binary(bytes)

export const NO_BYTES = (): Binary => new Binary(new Uint8Array())

/** A copy, because the driver's is a part of a whole reply, which would be kept for as long as these bytes are. */
export const bytesOf = (value: Binary): Uint8Array => new Uint8Array(value.buffer.subarray(0, value.position))

/** Fields of a document, read as what this adapter wrote there. */
export interface Fields {
  text(name: string): string
  number(name: string): number
  flag(name: string): boolean
  bytes(name: string): Uint8Array
  numbers(name: string): number[]
  /** One of a closed set of words. */
  word<W extends string>(name: string): W
  words<W extends string>(name: string): W[]
  /** The object with this one field, or without it where the document has none. */
  maybeText<K extends string, T extends string = string>(name: K): { [key in K]?: T }
  maybeNumber<K extends string>(name: K): { [key in K]?: number }
  maybeBytes<K extends string>(name: K): { [key in K]?: Uint8Array }
}

export function fieldsOf(document: Document): Fields {
  const wrong = (name: string): never => {
    throw new StoreError('corrupt', `The database has something unexpected in the field ${name}.`)
  }
  const isNumber = (value: unknown): value is number => typeof value === 'number'
  const isText = (value: unknown): value is string => typeof value === 'string'
  const text = (name: string): string => (typeof document[name] === 'string' ? document[name] : wrong(name))
  const number = (name: string): number => (isNumber(document[name]) ? document[name] : wrong(name))
  const bytes = (name: string): Uint8Array => (document[name] instanceof Binary ? bytesOf(document[name]) : wrong(name))
  const maybe =
    <V>(read: (name: string) => V) =>
    <K extends string>(name: K) =>
      (document[name] === undefined ? {} : { [name]: read(name) }) as { [key in K]?: V }
  return {
    text,
    number,
    bytes,
    flag: (name) => (typeof document[name] === 'boolean' ? document[name] : wrong(name)),
    numbers: (name) => (Array.isArray(document[name]) && document[name].every(isNumber) ? document[name] : wrong(name)),
    word: <W extends string>(name: string) => text(name) as W,
    words: <W extends string>(name: string) =>
      (Array.isArray(document[name]) && document[name].every(isText) ? document[name] : wrong(name)) as W[],
    maybeText: <K extends string, T extends string>(name: K) => maybe((field) => text(field) as T)(name),
    maybeNumber: maybe(number),
    maybeBytes: maybe(bytes),
  }
}
