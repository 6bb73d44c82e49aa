/** What an adapter is given to reach its vendor. */
export interface Upstream {
  /** Without a slash at its end. */
  readonly baseUrl: string
  readonly apiKey: string
  /**
   * The platform's, over pooled connections, and guarded: addresses that are not allowed are refused, redirects are not followed,
   * and a body that goes on for too long fails with a `ProviderFault`, as does the body of an answer that is no success.
   */
  readonly fetch: typeof globalThis.fetch
}
