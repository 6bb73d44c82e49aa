import { Unopenable } from '@chatbox/core'
import type { Box } from './box.ts'

/** What did not open: a packet of the fabric, or a field of a conversation. */
export type SealedPlace =
  | 'event'
  | 'chunk'
  | 'end'
  | 'reply'
  | 'entry'
  | 'outcome'
  | 'data-key'
  | 'content'
  | 'text'
  | 'thread'
  | 'comment'
  | 'name'
  | 'preview'

/** Called once for each value that does not open, to count it (security 32). */
export type OnUnopenable = (place: SealedPlace) => void

/** Undefined for what does not open, which has then been counted. */
export type TryOpen = (place: SealedPlace, box: Box, value: Uint8Array, aad: Uint8Array) => Uint8Array | undefined

export const watched =
  (onUnopenable: OnUnopenable): TryOpen =>
  (place, box, value, aad) => {
    try {
      return box.open(value, aad)
    } catch (error) {
      if (!(error instanceof Unopenable)) throw error
      onUnopenable(place)
      return undefined
    }
  }
