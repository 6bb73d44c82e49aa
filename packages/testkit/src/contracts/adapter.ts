import { setTimeout as delay } from 'node:timers/promises'
import type { Fabric, LimitRule } from '@chatbox/core'
import { afterEach } from 'vitest'

/** Clocks and bounds that a suite asks the adapter for; what it does not name is as in production, or as the adapter likes. */
export interface ContractSettings {
  readonly logEvents?: number
  readonly idleMs?: number
  readonly endedMs?: number
  readonly answerBytes?: number
  readonly partitionEntries?: number
  readonly deadLetters?: number
  readonly outcomeMs?: number
  readonly edgeLeaseMs?: number
  readonly limits?: Readonly<Record<string, LimitRule>>
}

/** What a suite does to the store behind the ports. */
export interface StoreControls {
  /**
   * Loses everything that the store may lose, as a Redis that was killed and came back with nothing. Resolves when the ports work again;
   * listeners may hear of it later.
   */
  empty(): Promise<void>
  /** True where that takes seconds: a model does it less often then. */
  readonly emptiesSlowly?: boolean
  close(): Promise<void>
  /** Lets time pass for the store. Without it the suite waits. */
  pass?(ms: number): Promise<void>
}

export type Built<P extends keyof Fabric, More = object> = Pick<Fabric, P> & StoreControls & More

/** Makes ports over a store that nothing else uses. Called for each test; the suite closes what it got. */
export type Build<P extends keyof Fabric, More = object> = (settings: ContractSettings) => Promise<Built<P, More>>

/** Builds for the test that runs, and closes when it has ended. To be called inside `describe`. */
export function opener<T extends StoreControls>(build: (settings: ContractSettings) => Promise<T>) {
  const open: T[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((built) => built.close()))
  })
  return async (settings: ContractSettings = {}): Promise<T> => {
    const built = await build(settings)
    open.push(built)
    return built
  }
}

export const pass = (store: StoreControls, ms: number): Promise<void> => store.pass?.(ms) ?? delay(ms)
