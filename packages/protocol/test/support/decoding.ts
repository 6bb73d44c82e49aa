import { clientDecoder, type Decoded, type Fault } from '../../src/index.ts'

const decode = clientDecoder()

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Raw JSON text, for what JSON.stringify would never write. */
export const decodeText = (text: string): Decoded => decode(utf8(text))

export const decodeFrame = (frame: unknown): Decoded => decodeText(JSON.stringify(frame))

export function faultOf(decoded: Decoded): Fault {
  if (decoded.ok) throw new Error('the frame was taken')
  return decoded.fault
}

export function frameOf(decoded: Decoded) {
  if (!decoded.ok) throw new Error(`the frame was refused: ${decoded.fault.field} ${decoded.fault.message}`)
  return decoded.frame
}
