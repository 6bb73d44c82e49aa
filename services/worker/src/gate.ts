import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen, type IPolicy } from 'cockatiel'
import type { Places } from './places.ts'
import { ProviderFault } from './provider.ts'

/** Stands in front of a model, so that one that fails, or is slow, does not take the others with it. */
export interface Gate {
  /** Waits for a place at the provider. Rejects with a `ProviderFault`, or with the signal's reason. */
  enter(signal: AbortSignal): Promise<Visit>
}

/** One request that was let through. */
export interface Visit {
  /** The first token has come. */
  spoke(): void
  /** How it went; undefined when it was we who stopped it. */
  leave(outcome: 'answered' | ProviderFault | undefined): void
}

/** The model's provider failed so often that it is left alone for a while. Somebody else may answer. */
export class ModelAway extends ProviderFault {
  constructor() {
    super('provider_overloaded', 'the provider failed too often, and is left alone for a while')
  }
}

export type BreakerState = 'closed' | 'half-open' | 'open'

export interface GateOptions {
  /** Failures in a row, of any requests, after which nobody is let through. */
  readonly failures: number
  /** After which time one request is let through to see; the others are when it has begun to speak. */
  readonly openMs: number
  readonly onState: (state: BreakerState) => void
}

export function createGate(places: Places, { failures, openMs, onState }: GateOptions): Gate {
  const breaker = circuitBreaker(
    handleWhen((error) => error instanceof ProviderFault),
    { halfOpenAfter: openMs, breaker: new ConsecutiveBreaker(failures) },
  )
  let openedAt = 0
  breaker.onStateChange((state) => {
    if (state === CircuitState.Open) openedAt = Date.now()
    onState(STATES[state])
  })

  return {
    async enter(signal) {
      // Nobody waits for a place only to be told that there is nothing to wait for.
      if (breaker.state === CircuitState.Open && Date.now() - openedAt < openMs) throw new ModelAway()
      const leavePlace = await places.take(signal)
      try {
        return visit(leavePlace)
      } catch (error) {
        leavePlace()
        throw error
      }
    },
  }

  function visit(leavePlace: () => void): Visit {
    // The library would have it wait for the end of the request that is on trial, which is a whole answer.
    if (breaker.state === CircuitState.HalfOpen) throw new ModelAway()
    const judged = judge(breaker)
    let onTrial = breaker.state !== CircuitState.Closed
    return {
      spoke() {
        if (!onTrial) return
        // Not waited for longer: nobody else is let through meanwhile.
        onTrial = false
        judged.good()
      },
      leave(outcome) {
        leavePlace()
        if (outcome === undefined) {
          // Says nothing about the provider; a trial has to end all the same, and the next one may know better.
          if (onTrial) judged.bad(new ModelAway())
          else judged.unjudged()
        } else if (outcome instanceof ProviderFault && outcome.code !== 'provider_rejected') {
          judged.bad(outcome)
        } else judged.good()
      },
    }
  }
}

const STATES: Readonly<Record<CircuitState, BreakerState>> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
}

/** Tells the breaker of one request, whose result comes later. The first word counts; what is bad after a good one counts by itself. */
function judge(breaker: IPolicy & { readonly state: CircuitState }) {
  let entered = false
  let saidGood = false
  let resolve: () => void = () => undefined
  let reject: (reason: Error) => void = () => undefined
  const result = new Promise<void>((good, bad) => {
    resolve = good
    reject = bad
  })
  breaker
    .execute(() => {
      entered = true
      return result
    })
    .catch(() => undefined)
  if (!entered) throw new ModelAway()
  return {
    good() {
      saidGood = true
      resolve()
    },
    bad(fault: ProviderFault) {
      if (saidGood && breaker.state === CircuitState.Closed) {
        breaker.execute(() => Promise.reject(fault)).catch(() => undefined)
      }
      reject(fault)
    },
    unjudged() {
      reject(new Error('stopped by us'))
    },
  }
}
