export interface Paced {
  soon(): void
  now(): void
  cancel(): void
}

/** The share of time that drawing may take while an answer comes in: one part in this many. */
const SHARE = 4

/** Runs at once when it is cheap; what is costly runs less often, so that the page stays responsive meanwhile. */
export function paced(run: () => void): Paced {
  let timer: ReturnType<typeof setTimeout> | undefined
  let notBefore = 0

  const now = () => {
    clearTimeout(timer)
    timer = undefined
    const start = performance.now()
    run()
    const end = performance.now()
    notBefore = end + (end - start) * (SHARE - 1)
  }
  return {
    now,
    soon() {
      if (timer !== undefined) return
      const wait = notBefore - performance.now()
      if (wait <= 0) now()
      else timer = setTimeout(now, wait)
    },
    cancel: () => clearTimeout(timer),
  }
}
