import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { OpsResponse } from './ops.ts'

/** What a listening port cannot be opened for, as a sentence for whoever started the process. */
export class ListenError extends Error {
  readonly code: string

  constructor(address: { host: string; port: number }, cause: NodeJS.ErrnoException) {
    const why =
      cause.code === 'EADDRINUSE' ? 'the port is in use' : `it cannot be opened (${cause.code ?? 'unknown error'})`
    super(`Cannot listen on ${address.host}:${address.port}: ${why}.`, { cause })
    this.name = 'ListenError'
    this.code = cause.code ?? 'EUNKNOWN'
  }
}

type Handle = (path: string) => Promise<OpsResponse | undefined>

const SLOWEST_REQUEST_MS = 5000

/** A small HTTP server of its own, so that health and metrics stay off the public port. */
export function createOpsServer(handle: Handle, listen: { host: string; port: number }) {
  const server = createServer(
    { requestTimeout: SLOWEST_REQUEST_MS, headersTimeout: SLOWEST_REQUEST_MS },
    (request, response) => {
      void answer(handle, request, response)
    },
  )

  return {
    start: () =>
      new Promise<void>((resolve, reject) => {
        server.once('error', (cause) => reject(new ListenError(listen, cause)))
        server.listen(listen.port, listen.host, resolve)
      }),
    /** Ends at once: what is asked here is asked again. */
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
    addresses(): string[] {
      const address = server.address()
      return isAddressInfo(address) ? [`http://${hostOf(address)}:${address.port}`] : []
    },
  }
}

async function answer(handle: Handle, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', url = '' } = request
  if (method !== 'GET' && method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end()
    return
  }
  const answered = await handle(url.split('?', 1)[0] ?? '')
  if (answered) response.writeHead(answered.status, answered.headers).end(method === 'HEAD' ? undefined : answered.body)
  else
    response.writeHead(404, { 'content-type': 'application/json; charset=utf-8' }).end('{"error":{"code":"not_found"}}')
}

function isAddressInfo(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null
}

function hostOf({ address, family }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]` : address
}
