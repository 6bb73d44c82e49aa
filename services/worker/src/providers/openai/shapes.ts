import { z } from 'zod'

/** Tokens. */
export const COUNT = z.int().nonnegative()
