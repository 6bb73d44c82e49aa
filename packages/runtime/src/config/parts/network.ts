import { host, origin, webUrl } from '../codecs/urls.ts'
import { list, oneOf, port, portOrAny } from '../codecs/values.ts'
import { group, mapped } from '../group.ts'
import { type Setting, setting } from '../setting.ts'

export interface Listen {
  readonly host: string
  readonly port: number
}

/** HOST and PORT. Port 0 takes a free one. */
export function listen(defaults: { host?: string; port?: number } = {}): Setting<Listen> {
  return group({
    host: setting('HOST', host, {
      about: 'Address to listen on; 0.0.0.0 for all.',
      default: defaults.host ?? '127.0.0.1',
    }),
    port: setting('PORT', portOrAny, {
      about: 'Port to listen on; 0 takes a free one.',
      default: `${defaults.port ?? 8080}`,
    }),
  })
}

/** OPS_PORT: health and metrics on a port of their own, which no public ingress reaches. */
export function opsPort(fallback: number): Setting<number>
export function opsPort(): Setting<number | undefined>
export function opsPort(fallback?: number): Setting<number | undefined> {
  const about = 'Port of /chat/healthz, /chat/readyz and /metrics.'
  return fallback === undefined
    ? setting('OPS_PORT', port, { about, optional: true })
    : setting('OPS_PORT', portOrAny, { about, default: `${fallback}` })
}

/** PUBLIC_URL: where people reach the service; its origin counts as the service's own (X1). */
export function publicUrl(): Setting<URL | undefined> {
  return setting('PUBLIC_URL', webUrl, { about: 'Address under which people reach the service.', optional: true })
}

export interface Origins {
  /** Exact origins that may open a WebSocket, beside the service's own. */
  readonly allowed: readonly string[]
  readonly check: boolean
}

/** WS_ALLOWED_ORIGINS and WS_ORIGIN_CHECK (X1). */
export function webSocketOrigins(): Setting<Origins> {
  const name = 'WS_ORIGIN_CHECK'
  const both = group(
    {
      allowed: setting('WS_ALLOWED_ORIGINS', list(origin), {
        about: 'Comma-separated origins that may open a WebSocket; none means the own origin only.',
        default: '',
      }),
      check: setting(name, oneOf(['on', 'off']), {
        about: 'Whether the Origin of a WebSocket is checked; off is for development only.',
        default: 'on',
      }),
    },
    (value, source) => {
      if (value.check === 'on') return
      if (source.production)
        source.fault(name, 'cannot be off with NODE_ENV=production; list origins in WS_ALLOWED_ORIGINS')
      else source.warn(name, 'is off: any website can open a WebSocket here with the token of a visitor')
    },
  )
  return mapped(both, ({ allowed, check }) => ({ allowed, check: check === 'on' }))
}

/** CORS_ALLOWED_ORIGINS (X10). */
export function corsOrigins(): Setting<readonly string[]> {
  return setting('CORS_ALLOWED_ORIGINS', list(origin), {
    about: 'Comma-separated origins whose pages may call the REST interface.',
    default: '',
  })
}
