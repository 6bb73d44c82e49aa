export type AfterClose = 'reconnect' | 'refresh' | 'stop'

const names: Readonly<Record<number, string>> = {
  1000: 'normal',
  1009: 'message_too_big',
  4100: 'unauthorized',
  4101: 'token_expired',
  4200: 'protocol_error',
  4201: 'replaced',
  4202: 'connection_limit',
  4203: 'forbidden',
  4204: 'disabled',
}

/** What to do after this code: the ranges of docs/PROTOCOL.md and the two exceptions among the standard codes. */
export function afterClose(code: number): AfterClose {
  if (code === 1000 || code === 1009) return 'stop'
  if (code >= 4100 && code < 4200) return 'refresh'
  if (code >= 4200 && code < 4300) return 'stop'
  return 'reconnect'
}

/** Why the connection stays closed, for `ChatState`. */
export const reasonOf = (code: number, said: string): string => names[code] ?? (said || `code_${code}`)
