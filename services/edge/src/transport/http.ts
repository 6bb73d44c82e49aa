import type { HttpRequest as UwsRequest, HttpResponse as UwsResponse } from 'uWebSockets.js'
import { STATUS_CODES } from 'node:http'
import type { AddressOf } from '@chatbox/runtime'

/** Plain HTTP that comes in on the socket's port, copied out of the transport's own objects. */
export interface HttpRequest {
  readonly method: string
  /** With its query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Of the client, as far as proxies are believed. */
  readonly address: string
  /** The whole body; rejects with `BodyTooLarge` above the cap. */
  body(): Promise<Uint8Array>
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal
}

export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array>
}

export type HttpHandler = (request: HttpRequest) => Promise<HttpResponse>

export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge'
}

const MAX_BODY = 1_048_576

const textOf = (buffer: ArrayBuffer): string => Buffer.from(buffer).toString('utf8')

/** Before the callback returns. The transport's own getter knows one line of a header only. */
export function addressIn(res: UwsResponse, req: UwsRequest, addressOf: AddressOf): string {
  const lines: string[] = []
  req.forEach((name, value) => {
    if (name === 'x-forwarded-for') lines.push(value)
  })
  return addressOf(textOf(res.getRemoteAddressAsText()), lines.join(','))
}

/** What is known of a request when its response is written. */
export interface Exchange {
  /** The transport's object must not be touched once this has aborted. */
  readonly signal: AbortSignal
  /** A response to HEAD has no body, or the client takes it for the next response. */
  readonly head: boolean
}

/** Everything that dies with the callback is copied before it returns. */
export function copyRequest(
  res: UwsResponse,
  req: UwsRequest,
  addressOf: AddressOf,
): { request: HttpRequest; exchange: Exchange } {
  const signal = abortSignal(res)
  const headers: Record<string, string> = {}
  req.forEach((name, value) => {
    headers[name] = value
  })
  const query = req.getQuery()
  const method = req.getMethod().toUpperCase()
  const received = collect(res, signal)
  // Nobody may ever ask for the body; its failure is then nobody's.
  received.catch(() => undefined)
  return {
    request: {
      method,
      url: query ? `${req.getUrl()}?${query}` : req.getUrl(),
      headers,
      address: addressIn(res, req, addressOf),
      body: () => received,
      signal,
    },
    exchange: { signal, head: method === 'HEAD' },
  }
}

/** Must be asked for before the callback returns. */
export function abortSignal(res: UwsResponse): AbortSignal {
  const gone = new AbortController()
  res.onAborted(() => gone.abort(new Error('the client went away')))
  return gone.signal
}

function collect(res: UwsResponse, signal: AbortSignal): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let parts: Buffer[] = []
    let size = 0
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    res.onData((chunk, last) => {
      size += chunk.byteLength
      if (size > MAX_BODY) {
        // What still comes is read and dropped: a client that is cut off in the midst of sending would not see the answer.
        parts = []
        return reject(new BodyTooLarge('the body is too large'))
      }
      // The chunk is the transport's memory; it is gone after this callback.
      parts.push(Buffer.from(chunk.slice(0)))
      if (last) resolve(Buffer.concat(parts))
    })
  })
}

/** Writes a response, a streamed one as fast as the client takes it. */
export async function writeResponse(res: UwsResponse, response: HttpResponse, exchange: Exchange): Promise<void> {
  const { body, status } = response
  const { signal, head } = exchange
  const streamed = typeof body !== 'string' && !(body instanceof Uint8Array)
  const bare = head || status === 204 || status === 304
  if (streamed && !bare) return stream(res, response, body, signal)
  // Nobody reads it, so whoever makes it may stop.
  if (streamed) await body[Symbol.asyncIterator]().return?.()
  if (signal.aborted) return
  const length = head ? lengthOf(response) : undefined
  res.cork(() => {
    writeHead(res, response)
    if (!bare) return res.end(streamed ? '' : body)
    // Told the length itself, the transport would wait for a body of that length.
    if (length !== undefined) res.writeHeader('content-length', String(length))
    return res.endWithoutBody()
  })
}

function lengthOf({ body, headers }: HttpResponse): number | undefined {
  if (typeof body === 'string') return Buffer.byteLength(body)
  if (body instanceof Uint8Array) return body.byteLength
  const said = headers['content-length']
  return typeof said === 'string' && /^\d+$/.test(said) ? Number(said) : undefined
}

async function stream(
  res: UwsResponse,
  response: HttpResponse,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const chunks = body[Symbol.asyncIterator]()
  const client = watch(res, signal)
  try {
    if (signal.aborted) return
    res.cork(() => writeHead(res, response))
    for (;;) {
      const next = await client.unlessGone(chunks.next())
      if (!next || signal.aborted) return
      if (next.done) break
      // An empty chunk would be the end of the response.
      if (next.value.byteLength === 0) continue
      let taken = true
      res.cork(() => {
        taken = res.write(next.value)
      })
      if (!taken) await client.unlessGone(client.writable())
      if (signal.aborted) return
    }
    res.cork(() => res.end())
  } finally {
    client.forget()
    // Not waited for: it may be in the midst of making a chunk, and whether it minds is its own affair.
    Promise.resolve(chunks.return?.()).catch(() => undefined)
  }
}

/** One listener each for the whole response, however often the client is slow. */
function watch(res: UwsResponse, signal: AbortSignal) {
  let room: (() => void) | undefined
  let quit: (() => void) | undefined
  const gone = () => quit?.()
  signal.addEventListener('abort', gone, { once: true })
  if (!signal.aborted) {
    res.onWritable(() => {
      room?.()
      return true
    })
  }
  return {
    forget: () => signal.removeEventListener('abort', gone),
    writable: () =>
      new Promise<void>((resolve) => {
        room = resolve
      }),
    /** The next chunk, or room for it, may never come; undefined when the client has gone before. */
    unlessGone: <T>(work: Promise<T>) =>
      new Promise<T | undefined>((resolve, reject) => {
        if (signal.aborted) return resolve(undefined)
        quit = () => resolve(undefined)
        work.then(resolve, reject)
      }),
  }
}

/** The transport writes these itself. */
const OF_THE_TRANSPORT = new Set(['content-length', 'transfer-encoding', 'connection', 'keep-alive', 'date'])

function writeHead(res: UwsResponse, { status, headers }: HttpResponse): void {
  res.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`)
  for (const [name, value] of Object.entries(headers)) {
    if (OF_THE_TRANSPORT.has(name.toLowerCase())) continue
    for (const one of typeof value === 'string' ? [value] : value) res.writeHeader(name, one)
  }
}
