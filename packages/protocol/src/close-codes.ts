export type AfterClose = 'reconnect' | 'refresh' | 'stop'

/** The one table of close codes: what each is called and what a client does on it. */
export const closeCodes = {
  normal: { code: 1000, after: 'stop' },
  going_away: { code: 1001, after: 'reconnect' },
  abnormal: { code: 1006, after: 'reconnect' },
  message_too_big: { code: 1009, after: 'stop' },
  internal: { code: 1011, after: 'reconnect' },
  restart: { code: 1012, after: 'reconnect' },
  try_again: { code: 1013, after: 'reconnect' },
  slow_consumer: { code: 4000, after: 'reconnect' },
  hello_timeout: { code: 4001, after: 'reconnect' },
  idle: { code: 4002, after: 'reconnect' },
  rate_limited: { code: 4003, after: 'reconnect' },
  unauthorized: { code: 4100, after: 'refresh' },
  token_expired: { code: 4101, after: 'refresh' },
  protocol_error: { code: 4200, after: 'stop' },
  replaced: { code: 4201, after: 'stop' },
  connection_limit: { code: 4202, after: 'stop' },
  forbidden: { code: 4203, after: 'stop' },
  disabled: { code: 4204, after: 'stop' },
} as const satisfies Record<string, { code: number; after: AfterClose }>

export type CloseReason = keyof typeof closeCodes

const byCode = new Map<number, AfterClose>(Object.values(closeCodes).map((row) => [row.code, row.after]))

/** What a client does after this code; a code that it does not know goes by its range. */
export function afterClose(code: number): AfterClose {
  const known = byCode.get(code)
  if (known) return known
  if (code >= 4100 && code < 4200) return 'refresh'
  if (code >= 4200 && code < 4300) return 'stop'
  return 'reconnect'
}
