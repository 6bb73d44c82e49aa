/** Counts of a `usage`, of which gateways leave out what they do not know. */
type Counts = {
  readonly [K in 'input_tokens' | 'cache_creation_input_tokens' | 'cache_read_input_tokens']?: number | null
}

/**
 * The vendor counts the parts of a prompt that its cache took or gave apart from the rest, and says each so far; together
 * they are what was asked. Nothing when it did not say.
 */
export function promptTokens(): (told: Counts | null | undefined) => number | undefined {
  let known: Counts = {}
  return (told) => {
    const news = Object.entries(told ?? {}).filter(([, count]) => typeof count === 'number')
    known = { ...known, ...Object.fromEntries(news) }
    const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens } = known
    if (typeof input_tokens !== 'number') return undefined
    return input_tokens + (cache_creation_input_tokens ?? 0) + (cache_read_input_tokens ?? 0)
  }
}
