import type { UsageView } from '@chatbox/protocol'
import type { Price } from '@chatbox/runtime'

export interface TokenCounts {
  readonly inputTokens: number
  readonly outputTokens: number
}

/** What an answer took, over all requests that were made for it (L5). */
export interface UsageTally {
  /**
   * A request is over. `told`: what the provider said of it; `estimated`: what we think it took; `whole`: it came to its end
   * mark, so that what it told is the last word; `price`: that of the model which was asked.
   */
  add(told: Partial<TokenCounts>, estimated: TokenCounts, whole: boolean, price?: Price): void
  /** Undefined while nothing was asked. */
  total(): UsageView | undefined
}

/** More than any answer takes; who tells more has miscounted, and sums have to stay exact. */
const MOST_TOKENS = 1_000_000_000

export function usageTally(): UsageTally {
  let requests = 0
  let inputTokens = 0
  let outputTokens = 0
  let anyEstimated = false
  let cost: number | undefined
  return {
    add(told, estimated, whole, price) {
      const [toldInput, toldOutput] = [credible(told.inputTokens), credible(told.outputTokens)]
      const input = toldInput ?? estimated.inputTokens
      // A count from the beginning of a stream that was cut says nothing of what followed.
      const output = whole ? (toldOutput ?? estimated.outputTokens) : Math.max(toldOutput ?? 0, estimated.outputTokens)
      requests += 1
      inputTokens += input
      outputTokens += output
      anyEstimated ||= toldInput === undefined || toldOutput === undefined || !whole
      // Another model may have answered in the end, at another price. What has none adds nothing.
      if (price) cost = (cost ?? 0) + input * price.in + output * price.out
    },
    total: () =>
      requests > 0
        ? { inputTokens, outputTokens, estimated: anyEstimated, ...(cost !== undefined && { cost: Math.round(cost) }) }
        : undefined,
  }
}

const credible = (tokens: number | undefined): number | undefined =>
  tokens !== undefined && tokens <= MOST_TOKENS ? tokens : undefined
