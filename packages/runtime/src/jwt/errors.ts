import { Refusal } from '@chatbox/core'

/** `unavailable`: the keys could not be fetched, so nothing is known about the token; trying again may help. */
export type TokenErrorCode = 'unauthorized' | 'token_expired' | 'unavailable'

/** What was wrong, for logs and metrics; never sent out (X4). */
export type TokenFault =
  | 'not_a_token'
  | 'too_long'
  | 'header'
  | 'algorithm'
  | 'type'
  | 'unknown_key'
  | 'signature'
  | 'expiry'
  | 'not_yet_valid'
  | 'issuer'
  | 'audience'
  | 'subject'
  | 'claims'
  | 'expired'
  | 'keys_unavailable'

/** Why a token was refused. The message may be sent out; the token and its claims are in no property, nor a cause. */
export class TokenError extends Refusal {
  declare readonly code: TokenErrorCode
  readonly fault: TokenFault

  constructor(fault: TokenFault) {
    super(codeOf(fault))
    this.fault = fault
  }
}

function codeOf(fault: TokenFault): TokenErrorCode {
  if (fault === 'expired') return 'token_expired'
  return fault === 'keys_unavailable' ? 'unavailable' : 'unauthorized'
}
