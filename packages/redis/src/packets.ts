import type { Packet } from '@chatbox/core'

const NEWLINE = 10

/** Header as JSON, a line break, body: JSON has no line break of its own. */
export function packetBytes({ header, body }: Packet): Buffer {
  const head = JSON.stringify(header)
  const length = Buffer.byteLength(head)
  const bytes = Buffer.allocUnsafe(length + 1 + body.byteLength)
  bytes.write(head, 0)
  bytes[length] = NEWLINE
  bytes.set(body, length + 1)
  return bytes
}

/** The body is a view of the bytes. Throws for what was not written by `packetBytes`. */
export function packetOf<H extends object>(bytes: Buffer): Packet<H> {
  const at = bytes.indexOf(NEWLINE)
  if (at < 0) throw new SyntaxError('not a packet')
  const header: unknown = JSON.parse(bytes.toString('utf8', 0, at))
  if (typeof header !== 'object' || header === null) throw new SyntaxError('not a packet')
  // Written by `packetBytes` from a header of this type; where it was edited since, the seal does not open.
  return { header: header as H, body: bytes.subarray(at + 1) }
}
