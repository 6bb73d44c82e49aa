import { z } from 'zod'
import type { Codec } from '../setting.ts'

/** Bounds of a number, inclusive. */
export interface Bounds {
  min?: number
  max?: number
}

const MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const BYTES = { b: 1, kb: 1000, mb: 1000 ** 2, gb: 1000 ** 3, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 } as const

export const text: Codec<string> = z.string()

export function integer({ min = 0, max = Number.MAX_SAFE_INTEGER }: Bounds = {}): Codec<number> {
  const message = `must be a whole number from ${min} to ${max}`
  return z
    .string()
    .regex(/^\d{1,16}$/, { message, abort: true })
    .transform(Number)
    .pipe(z.number().min(min, message).max(max, message))
}

export const port: Codec<number> = integer({ min: 1, max: 65_535 })

/** 0 lets the system choose a free port. */
export const portOrAny: Codec<number> = integer({ min: 0, max: 65_535 })

export function decimal({ min = 0, max = Number.MAX_VALUE }: Bounds = {}): Codec<number> {
  const message = `must be a number from ${min} to ${max}`
  return z
    .string()
    .regex(/^\d{1,12}(\.\d{1,12})?$/, { message, abort: true })
    .transform(Number)
    .pipe(z.number().min(min, message).max(max, message))
}

/** `500ms`, `30s`, `2m`, `12h`, `7d`, as milliseconds. A bare number is refused: nobody could tell its unit. */
export function duration({ min = 0, max = 366 * MS.d }: Bounds = {}): Codec<number> {
  return z
    .string()
    .regex(/^\d{1,12}(ms|s|m|h|d)$/, { message: 'must be a duration such as 500ms, 30s or 2m', abort: true })
    .transform((raw) => withUnit(raw, MS))
    .pipe(z.number().min(min, `must be at least ${min}ms`).max(max, `must be at most ${max}ms`))
}

/** `65536`, `64KiB`, `1MB`, as bytes. */
export function size({ min = 0, max = Number.MAX_SAFE_INTEGER }: Bounds = {}): Codec<number> {
  return z
    .string()
    .regex(/^\d{1,12} ?(b|kb|mb|gb|kib|mib|gib)?$/i, {
      message: 'must be a size such as 65536, 64KiB or 1MB',
      abort: true,
    })
    .transform((raw) => withUnit(raw.toLowerCase().replace(' ', ''), BYTES))
    .pipe(z.number().min(min, `must be at least ${min} bytes`).max(max, `must be at most ${max} bytes`))
}

function withUnit(raw: string, units: Readonly<Record<string, number>>): number {
  const digits = /^\d+/.exec(raw)?.[0] ?? ''
  return Number(digits) * (units[raw.slice(digits.length)] ?? 1)
}

const YES = ['true', '1', 'yes', 'on']
const NO = ['false', '0', 'no', 'off']

export const bool: Codec<boolean> = z
  .string()
  .refine((raw) => [...YES, ...NO].includes(raw.toLowerCase()), 'must be true or false')
  .transform((raw) => YES.includes(raw.toLowerCase()))

export function oneOf<const T extends readonly [string, ...string[]]>(names: T): Codec<T[number]> {
  return z.string().pipe(z.enum(names, `must be one of ${names.join(', ')}`))
}

/** Comma-separated; blanks around entries, empty entries and repetitions are dropped. */
export function list<T>(entry: Codec<T>): Codec<T[]> {
  return z
    .string()
    .transform((raw) => [...new Set(raw.split(',').map((part) => part.trim()))].filter((part) => part !== ''))
    .pipe(z.array(entry))
}
