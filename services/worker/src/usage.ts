import type { UsageView } from '@chatbox/protocol'

export interface TokenCounts {
  readonly inputTokens: number
  readonly outputTokens: number
}

/** What an answer took, over all requests that were made for it (L5). */
export interface UsageTally {
  /**
   * A request is over. `told`: what the provider said of it; `estimated`: what we think it took; `whole`: it came to its end
   * mark, so that what it told is the last word.
   */
  add(told: Partial<TokenCounts>, estimated: TokenCounts, whole: boolean): void
  /** Undefined while nothing was asked. */
  total(): UsageView | undefined
}

export function usageTally(): UsageTally {
  let requests = 0
  let inputTokens = 0
  let outputTokens = 0
  let anyEstimated = false
  return {
    add(told, estimated, whole) {
      requests += 1
      inputTokens += told.inputTokens ?? estimated.inputTokens
      // A count from the beginning of a stream that was cut says nothing of what followed.
      outputTokens += whole
        ? (told.outputTokens ?? estimated.outputTokens)
        : Math.max(told.outputTokens ?? 0, estimated.outputTokens)
      anyEstimated ||= told.inputTokens === undefined || told.outputTokens === undefined || !whole
    },
    total: () => (requests > 0 ? { inputTokens, outputTokens, estimated: anyEstimated } : undefined),
  }
}
