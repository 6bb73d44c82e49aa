import type { HttpRequest as UwsRequest, HttpResponse as UwsResponse } from 'uWebSockets.js'

/** Plain HTTP that comes in on the socket's port, copied out of the transport's own objects. */
export interface HttpRequest {
  readonly method: string
  /** With its query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
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

const text = (buffer: ArrayBuffer): string => Buffer.from(buffer).toString('utf8')

/** Everything that dies with the callback is copied before it returns. */
export function copyRequest(res: UwsResponse, req: UwsRequest): HttpRequest {
  const gone = new AbortController()
  res.onAborted(() => gone.abort(new Error('the client went away')))
  const headers: Record<string, string> = {}
  req.forEach((name, value) => {
    headers[name] = value
  })
  const query = req.getQuery()
  const received = collect(res, gone.signal)
  // Nobody may ever ask for the body; its failure is then nobody's.
  received.catch(() => undefined)
  return {
    method: req.getMethod().toUpperCase(),
    url: query ? `${req.getUrl()}?${query}` : req.getUrl(),
    headers,
    address: text(res.getRemoteAddressAsText()),
    body: () => received,
    signal: gone.signal,
  }
}

function collect(res: UwsResponse, signal: AbortSignal): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    let size = 0
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    res.onData((chunk, last) => {
      size += chunk.byteLength
      if (size > MAX_BODY) {
        parts.length = 0
        if (last) reject(new BodyTooLarge('the body is too large'))
        return
      }
      // The chunk is the transport's memory; it is gone after this callback.
      parts.push(Buffer.from(chunk.slice(0)))
      if (last) resolve(Buffer.concat(parts))
    })
  })
}

/** Writes a response, a streamed one as fast as the client takes it. */
export async function writeResponse(res: UwsResponse, response: HttpResponse, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { body } = response
  if (typeof body === 'string' || body instanceof Uint8Array) {
    res.cork(() => {
      writeHead(res, response)
      res.end(body)
    })
    return
  }
  res.cork(() => writeHead(res, response))
  for await (const chunk of body) {
    if (signal.aborted) return
    let taken = true
    res.cork(() => {
      taken = res.write(chunk)
    })
    if (!taken) await writable(res, signal)
  }
  if (!signal.aborted) res.cork(() => res.end())
}

function writeHead(res: UwsResponse, { status, headers }: HttpResponse): void {
  res.writeStatus(String(status))
  for (const [name, value] of Object.entries(headers)) {
    // The transport counts the length itself.
    if (name === 'content-length' || name === 'transfer-encoding' || name === 'connection') continue
    for (const one of typeof value === 'string' ? [value] : value) res.writeHeader(name, one)
  }
}

function writable(res: UwsResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    res.onWritable(() => {
      resolve()
      return true
    })
  })
}
