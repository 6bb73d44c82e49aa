export interface BackoffOptions {
  readonly backoffBaseMs: number
  readonly backoffCapMs: number
}

/** Full jitter: anywhere between zero and a cap that doubles with each try, so that those who left together don't return together. */
export const jittered = (tries: number, options: BackoffOptions, random: () => number): number =>
  random() * Math.min(options.backoffCapMs, options.backoffBaseMs * 2 ** Math.min(tries, 30))

export interface Backoff {
  next(): number
  reset(): void
}

export function createBackoff(options: BackoffOptions, random: () => number): Backoff {
  let tries = 0
  return {
    next: () => jittered(tries++, options, random),
    reset: () => {
      tries = 0
    },
  }
}
