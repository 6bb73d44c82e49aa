import type { Packet } from '@chatbox/core'

declare const written: unique symbol
type Json<T> = string & { readonly [written]?: T }

/** A packet as a store on the network would hold it: nobody's object, so that no reader can change what another one sees. */
export interface Stored<H extends object> {
  readonly header: Json<H>
  readonly body: Uint8Array
}

export const stored = <H extends object>({ header, body }: Packet<H>): Stored<H> => ({
  header: JSON.stringify(header),
  body: new Uint8Array(body),
})

export const loaded = <H extends object>({ header, body }: Stored<H>): Packet<H> => ({
  // Written by `stored` from a value of this type.
  header: JSON.parse(header) as H,
  body: pooled(body),
})

/** A copy in Node's pool, ten times as fast as one of its own. For readers only: a small value that is kept would keep a whole slab. */
function pooled(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes)
  return new Uint8Array(copy.buffer, copy.byteOffset, copy.length)
}

export const sizeOf = ({ header, body }: Stored<object>): number => header.length + body.length
