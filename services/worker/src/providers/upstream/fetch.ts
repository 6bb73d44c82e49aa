import { lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { mayBeAt, plainHost, upstreamFault } from '@chatbox/runtime'
import { Agent, buildConnector, type Dispatcher, fetch as undiciFetch } from 'undici'
import { ProviderFault } from '../../provider.ts'
import { bounded } from './bounded.ts'
import { faultIn } from './faults.ts'

export interface UpstreamsOptions {
  /** Hosts that may be at private addresses, and be asked by plain http. */
  readonly privateHosts?: readonly string[]
  /** How names become addresses; a test gives its own. */
  readonly lookup?: LookupFunction
  /** Bytes of one body, after it was unpacked. */
  readonly maxBodyBytes?: number
}

/** The pooled connections to all vendors. */
export interface Upstreams {
  /** What may be asked at one base URL: nothing of another scheme, host or port. */
  fetchFor(baseUrl: string): typeof globalThis.fetch
  close(): Promise<void>
}

/** An answer is 256 KiB at most; a stream says every few characters of it in a frame of some hundred bytes. */
const MAX_BODY_BYTES = 64 * 1024 * 1024

/** Of what a vendor says in place of an answer a log line is kept. */
const MAX_ERROR_BYTES = 1024 * 1024

/**
 * Requests to vendors, and to nobody else (X11, security 35). Where a name leads is judged when the connection is made, by the very
 * addresses that it is made to, so that a name that changes between a check and its use gains nothing.
 */
export function createUpstreams(options: UpstreamsOptions = {}): Upstreams {
  const { privateHosts = [], lookup = systemLookup as LookupFunction, maxBodyBytes = MAX_BODY_BYTES } = options
  // Limits of time are those of whoever asks; a model may think for longer than undici waits by itself.
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: guardedConnector(privateHosts, lookup) })
  return {
    fetchFor(baseUrl) {
      const base = new URL(baseUrl)
      const fault = upstreamFault(base, privateHosts)
      if (fault !== undefined) throw new Error(`the base URL ${fault}`)
      return guardedFetch(base.origin, agent, maxBodyBytes)
    },
    close: () => agent.destroy(),
  }
}

function guardedFetch(origin: string, dispatcher: Dispatcher, maxBodyBytes: number): typeof globalThis.fetch {
  return async (input, init = {}) => {
    if (input instanceof Request) throw new TypeError('a request is asked for by its URL here')
    const url = new URL(input)
    if (url.origin !== origin || url.username !== '' || url.password !== '')
      throw refused('a request would have gone to another host than the configured one')
    const { method = 'GET', headers, body, signal } = init
    if (body !== null && body !== undefined && typeof body !== 'string') throw new TypeError('bodies are texts here')
    const response = await undiciFetch(url, {
      method,
      headers: [...new Headers(headers)],
      body: body ?? null,
      signal: signal ?? null,
      // Handed over and looked at, because another host than this one must never see the key.
      redirect: 'manual',
      dispatcher,
    }).catch((error: unknown) => {
      throw faultIn(error) ?? error
    })
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel()
      throw refused(`the provider answered ${response.status}, and redirects are not followed`)
    }
    // The platform's, so that SDKs are given what they know.
    const most = response.ok ? maxBodyBytes : Math.min(maxBodyBytes, MAX_ERROR_BYTES)
    return new Response(response.body && bounded(response.body, most), {
      status: response.status,
      statusText: response.statusText,
      headers: [...response.headers],
    })
  }
}

/** Asking again would end the same. */
const refused = (why: string): ProviderFault => new ProviderFault('provider_error', why)

function guardedConnector(privateHosts: readonly string[], lookup: LookupFunction): buildConnector.connector {
  const judge = (host: string, addresses: readonly string[]) =>
    addresses.length > 0 && addresses.every((address) => mayBeAt(host, address, privateHosts))
      ? undefined
      : refused('the host of the provider is at a private or reserved address')

  const connect = buildConnector({
    autoSelectFamily: true,
    lookup: (hostname, options, callback) =>
      lookup(hostname, options, (error, found, family) => {
        if (error) return callback(error, found, family)
        const addresses = typeof found === 'string' ? [found] : found.map(({ address }) => address)
        // One bad address is enough: which of them is taken is up to whoever answers for the name.
        callback(judge(plainHost(hostname), addresses) ?? null, found, family)
      }),
  })

  return (options, callback) => {
    const host = plainHost(options.hostname)
    // An address is never looked up.
    const fault = isIP(host) === 0 ? undefined : judge(host, [host])
    if (fault) return callback(fault, null)
    connect(options, callback)
  }
}
