export interface LivenessOptions {
  /** After this much silence a ping is sent. */
  readonly quietMs: number
  /** After this much the connection is dead. */
  readonly silenceMs: number
  /** How long a pong may take when there is a reason to doubt. */
  readonly probeMs: number
  ping(): void
  dead(): void
}

export interface Liveness {
  heard(): void
  /** Asks for a sign of life now: the page came back, the network changed. */
  probe(): void
  stop(): void
}

/** Tells whether anybody is at the other end. A page can't see the server's own pings, so it asks itself. */
export function watchLiveness(options: LivenessOptions): Liveness {
  const tickMs = Math.max(1, Math.min(options.quietMs, options.probeMs) / 4)
  let lastHeard = Date.now()
  let lastTick = lastHeard
  let deadline: number | undefined
  let doubted = false

  const ask = (patienceMs: number) => {
    deadline = Date.now() + patienceMs
    options.ping()
  }

  const tick = () => {
    const now = Date.now()
    // Timers stand still while a laptop sleeps or a page is frozen; the clock on the wall does not. What was silent
    // meanwhile proves nothing, so ask first. Once only: the timers of a hidden page are always late.
    const slept = now < lastTick || now - lastTick > tickMs * 3 + 1_000
    lastTick = now
    if (slept && !doubted) {
      doubted = true
      ask(options.probeMs)
    } else if (deadline !== undefined) {
      if (now >= deadline) options.dead()
    } else if (now - lastHeard >= options.quietMs) {
      ask(Math.max(options.silenceMs - options.quietMs, 0))
    }
  }
  const timer = setInterval(tick, tickMs)

  return {
    heard() {
      lastHeard = Date.now()
      deadline = undefined
      doubted = false
    },
    probe() {
      if (deadline === undefined || deadline - Date.now() > options.probeMs) ask(options.probeMs)
    },
    stop: () => clearInterval(timer),
  }
}
