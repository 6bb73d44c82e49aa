import { z } from 'zod'

const COUNT = z.int().nonnegative().nullish().catch(null)

/** Gateways leave out what they do not count. */
export const USAGE = z
  .object({
    input_tokens: COUNT,
    cache_creation_input_tokens: COUNT,
    cache_read_input_tokens: COUNT,
    output_tokens: COUNT,
  })
  .nullish()
  .catch(null)

/**
 * The vendor counts the parts of a prompt that its cache took, or gave, apart from the rest, and says each so far; together
 * they are what was asked. Undefined until it has said.
 */
export function promptTokens(): (told: z.infer<typeof USAGE>) => number | undefined {
  let plain: number | undefined
  let written = 0
  let read = 0
  return (told) => {
    plain = told?.input_tokens ?? plain
    written = told?.cache_creation_input_tokens ?? written
    read = told?.cache_read_input_tokens ?? read
    return plain === undefined ? undefined : plain + written + read
  }
}
