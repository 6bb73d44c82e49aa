import type { z } from 'zod'

type Shaped = z.ZodObject

/** Names of the fields of a schema as docs/PROTOCOL.md writes them: `?` behind those that may be absent. */
export const fieldsOf = (schema: Shaped, ...without: string[]): string[] =>
  Object.entries(schema.shape)
    .filter(([name]) => !without.includes(name))
    .map(([name, field]) => ((field as z.ZodType).safeParse(undefined).success ? `${name}?` : name))
    .sort()
