import type { ChatOptions, SocketLike } from './api.ts'

export interface Endpoints {
  readonly socketUrl: string
  readonly sessionsUrl: URL
}

/** Throws at once for a URL that is none: better than a chat that tries for ever. */
export function endpoints(url: string): Endpoints {
  const base = new URL(url, globalThis.location?.href)
  if (!/^(https?|wss?):$/.test(base.protocol)) throw new TypeError(`A chat can't be reached by ${base.protocol}`)
  const secure = base.protocol === 'https:' || base.protocol === 'wss:'
  const at = (protocol: string, path: string) => {
    const made = new URL(base.pathname.replace(/\/+$/, '') + path, base)
    // Neither a query nor a name and password from the address may travel on.
    return new URL(`${protocol}//${made.host}${made.pathname}`)
  }
  return {
    socketUrl: at(secure ? 'wss:' : 'ws:', '/chat/ws').href,
    sessionsUrl: at(secure ? 'https:' : 'http:', '/chat/sessions'),
  }
}

export function socketMaker(make: ChatOptions['socket']): (url: string) => SocketLike {
  if (make) return make
  if (typeof WebSocket === 'undefined') throw new TypeError('There is no WebSocket here: give one as `socket`.')
  return (url) => new WebSocket(url)
}
