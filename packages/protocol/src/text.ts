import { z } from 'zod'
import { sanitise } from './sanitise.ts'

/** No unit of UTF-16 takes more than 3 bytes of UTF-8, so short strings need no counting. */
const fits = (text: string, limit: number): boolean =>
  text.length * 3 <= limit || Buffer.byteLength(text, 'utf8') <= limit

/** What a person or a client wrote freely: held to its size as it was sent, then sanitised, and only so used from here on (M8). */
export const text = (limit: number) =>
  z
    .string()
    .refine((value) => fits(value, limit), { error: `is longer than ${limit} bytes`, abort: true })
    .overwrite(sanitise)
    .meta({ maxLength: limit, description: `At most ${limit} bytes of UTF-8.` })

/** Free text that must still say something once it is sanitised. */
export const name = (limit: number) => text(limit).min(1)
