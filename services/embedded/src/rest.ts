import { randomUUID } from 'node:crypto'
import { BodyTooLarge, errorResponse, type HttpRequest, type HttpResponse } from '@chatbox/edge'
import type { Storage } from '@chatbox/storage'

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS'
const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'])

/** Hands a request to a REST app in this process: streamed back, aborted with the request, the client's address passed on. */
export async function passOn(app: Storage['http'], request: HttpRequest): Promise<HttpResponse> {
  const { method, url, headers, address, signal } = request
  if (!METHODS.has(method)) return errorResponse(405, 'not_found', randomUUID())
  try {
    const payload = await request.body()
    const response = await app.inject({
      method: method as Method,
      url,
      headers,
      remoteAddress: address,
      ...(payload.byteLength > 0 && { payload: Buffer.from(payload) }),
      payloadAsStream: true,
      signal,
    })
    const answered: Record<string, string | string[]> = {}
    for (const [name, value] of Object.entries(response.headers)) {
      if (value !== undefined) answered[name] = typeof value === 'number' ? String(value) : value
    }
    const body = response.stream()
    // Whoever makes it hears only of its own end of it.
    body.once('close', () => response.raw.res.destroy())
    return { status: response.statusCode, headers: answered, body }
  } catch (error) {
    if (error instanceof BodyTooLarge) return errorResponse(413, 'too_large', randomUUID())
    throw error
  }
}
