import { randomFillSync } from 'node:crypto'

export const NONCE_BYTES = 12
/** One call for random bytes costs about as much as the cipher itself, so many nonces are taken in one. */
const TAKEN_AT_ONCE = 512

const taken = Buffer.allocUnsafeSlow(NONCE_BYTES * TAKEN_AT_ONCE)
let used = taken.length

/** Fresh random bytes; the view is good until the next call, because what it shows is overwritten some time after. */
export function nextNonce(): Uint8Array {
  if (used === taken.length) {
    randomFillSync(taken)
    used = 0
  }
  used += NONCE_BYTES
  return taken.subarray(used - NONCE_BYTES, used)
}
