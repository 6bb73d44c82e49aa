export interface LimitRule {
  readonly points: number
  readonly perMs: number
}

export type Consumed =
  | { readonly allowed: true; readonly remaining: number }
  | { readonly allowed: false; readonly retryAfterMs: number }

/** Budgets per key that refill with time. The buckets are fixed when it is made. */
export interface Limiter<Bucket extends string = string> {
  consume(bucket: Bucket, key: string, points?: number): Promise<Consumed>
  /** Asks without taking. */
  peek(bucket: Bucket, key: string): Promise<Consumed>
}
