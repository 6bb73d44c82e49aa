import type { IndexFault } from './migrate.ts'
import { unmigrated } from './migrate.ts'

export interface Gate {
  /** Rejects as long as the database is not as it has to be. Once it is, this costs nothing. */
  pass(): Promise<void>
  /** Looks, unless somebody has just done so. */
  look(): Promise<readonly IndexFault[]>
}

/** So that a process that waits for its migration does not ask at every call. */
const LOOK_AGAIN_MS = 500
/** Somebody may drop an index later; whoever asks for readiness then hears of it. */
const STAYS_MS = 30_000

/**
 * Without its unique indexes the database would take a message twice, so nothing is done before they are there. A process may be
 * started before the migration has run, and works as soon as it has.
 */
export function gate(
  check: () => Promise<readonly IndexFault[]>,
  now: () => number = performance.now.bind(performance),
): Gate {
  let last: { readonly at: number; readonly faults: readonly IndexFault[] } | undefined
  let looking: Promise<readonly IndexFault[]> | undefined

  async function lookOnce(): Promise<readonly IndexFault[]> {
    try {
      const faults = await check()
      last = { at: now(), faults }
      return faults
    } finally {
      looking = undefined
    }
  }

  function look(): Promise<readonly IndexFault[]> {
    const staysFor = last?.faults.length === 0 ? STAYS_MS : LOOK_AGAIN_MS
    if (last && now() - last.at < staysFor) return Promise.resolve(last.faults)
    looking ??= lookOnce()
    return looking
  }

  return {
    look,
    async pass() {
      if (last?.faults.length === 0) return
      const faults = await look()
      if (faults.length > 0) throw unmigrated(faults)
    },
  }
}
