/** As an id may be on the wire (docs/PROTOCOL.md, "Frames to the server"). */
export const ID = /^[A-Za-z0-9_.:-]{1,64}$/

/** 128 random bits. `crypto.randomUUID` is missing in pages without TLS; this is not. */
export const randomId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
