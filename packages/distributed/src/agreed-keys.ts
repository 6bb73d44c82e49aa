import { Unavailable } from '@chatbox/core'
import type { Keyring } from '@chatbox/crypto'
import type { Claims } from '@chatbox/redis'
import type { Check, Logger, Timers } from '@chatbox/runtime'

/** This process has other keys than those that work on the same Redis. */
export class KeysFault extends Error {
  override readonly name = 'KeysFault'
  readonly code = 'keys_fault'
}

export interface AgreedKeys {
  /** Fails until this process has once had the keys of the others. */
  readonly check: Check
  /**
   * Resolves when nothing speaks against the keys, when Redis cannot be asked, or when `stopping` aborts. Whoever has other keys than
   * those who are at work waits here, because it would take requests that it cannot open.
   */
  start(stopping?: AbortSignal): Promise<void>
  stop(): Promise<void>
}

export interface AgreedKeysOptions {
  readonly claims: Claims
  readonly keyring: Pick<Keyring, 'currentId' | 'fingerprints' | 'setting'>
  readonly log: Logger
  readonly timers: Timers
}

const LOOK_MS = 5_000
/** A process that stood still for a while is not forgotten at once. */
const LEASE_MS = 20_000
/** Whoever has met others leaves a Redis that came back empty to them first. */
const YIELD_MS = 2 * LOOK_MS

/**
 * Every process claims a fingerprint of its hash key, and one of the key that it seals by, in the realtime Redis, and holds what others
 * claim against all keys that it has (decision 12).
 */
export function agreedKeys({ claims, keyring, log, timers }: AgreedKeysOptions): AgreedKeys {
  const { fingerprints, currentId } = keyring
  const hashClaim = `hash:${fingerprints.hashKey}`
  const ofRing = new Map([...fingerprints.keys].map(([id, fingerprint]) => [id, `key:${id}:${fingerprint}`]))
  const own = [hashClaim, ofRing.get(currentId) ?? '']
  const known = [...ofRing.values()]
  const leaseMs = timers.ms(LEASE_MS)
  const yieldMs = timers.ms(YIELD_MS)

  let agreed = false
  let metStrangersAt = Number.NEGATIVE_INFINITY
  let said = ''
  let looking: Promise<string> | undefined
  let stopRepeating: (() => Promise<void>) | undefined

  function sentenceOn(claim: string): string {
    const [kind, id = ''] = claim.split(':')
    if (kind === 'hash') return 'HASH_KEY is not the one of the other processes.'
    if (!ofRing.has(id)) return `Other processes seal by a key ${id}, which is not in ${keyring.setting} here.`
    return `The key ${id} of ${keyring.setting} is not the one that other processes have under this id.`
  }

  function say(fault: string): void {
    if (fault === said) return
    said = fault
    if (fault === '') return log.info('the other processes have the same keys now')
    log.error(
      { fault },
      agreed
        ? 'another process has other keys than this one; neither can open what the other seals'
        : 'this process has other keys than those at work: it is not ready until they are the same, or the others have ended',
    )
  }

  /** What speaks against the keys: nothing, if it is empty. */
  async function look(): Promise<string> {
    const yields = performance.now() - metStrangersAt < yieldMs
    // Whoever serves is not put out of service by what somebody else claims, and goes on claiming its own for those who come.
    const how = agreed ? 'hold' : yields ? 'look' : 'join'
    const strange = await claims.claim({ own, known, how, leaseMs })
    if (strange.length > 0) metStrangersAt = performance.now()
    else if (how === 'join') agreed = true
    const fault = [...new Set(strange.map(sentenceOn))].sort().join(' ')
    if (fault !== '' || agreed) say(fault)
    return fault
  }

  /** One look for all who ask. */
  function lookNow(): Promise<string> {
    looking ??= look().finally(() => {
      looking = undefined
    })
    return looking
  }

  const away = (err: unknown) => log.debug({ err }, 'the keys of the others could not be asked for')

  return {
    check: {
      name: 'keys',
      async ping() {
        if (agreed) return
        const fault = await lookNow()
        if (!agreed) throw new KeysFault(fault || 'The processes with other keys have only just ended.')
      },
    },
    async start(stopping) {
      try {
        for (;;) {
          await lookNow()
          if (agreed || stopping?.aborted) break
          await timers.sleep(LOOK_MS, stopping)
        }
      } catch (error) {
        if (!stopping?.aborted && !(error instanceof Unavailable)) throw error
        away(error)
      }
      stopRepeating = timers.every(LOOK_MS, lookNow, away)
    },
    stop: async () => stopRepeating?.(),
  }
}
