/** Where a Redis is, as one URL says it. */
export interface RedisAddress {
  readonly kind: 'single' | 'sentinel' | 'cluster'
  /** Of the server, of the sentinels, or of some of the cluster's nodes. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  readonly tls: boolean
  /** Of an ACL user; without it the default user. */
  readonly username?: string
  readonly password?: string
  readonly db: number
  /** What the sentinels call the master. */
  readonly master?: string
}

const USUAL_PORT = { single: 6_379, sentinel: 26_379, cluster: 6_379 }
const FORM = /^(redis|rediss)(?:\+(sentinel|cluster))?:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^/?]+)(?:\/([^?]*))?$/

/**
 * `redis://host:port/db`, an ACL user and a password in front of the host as in any URL, `rediss://` for TLS, `redis+sentinel://host,host/master/db`, `redis+cluster://host,host`.
 * Throws with a sentence that names no password.
 */
export function parseRedisUrl(url: string): RedisAddress {
  const match = FORM.exec(url)
  if (!match)
    throw new TypeError('not an address of a Redis: redis://host:port, with +sentinel or +cluster for several')
  const [, scheme, mode, username, password, hostList = '', path = ''] = match
  const kind = mode === 'sentinel' || mode === 'cluster' ? mode : 'single'
  const hosts = hostList.split(',').map((host) => hostOf(host, USUAL_PORT[kind]))
  if (kind === 'single' && hosts.length > 1) {
    throw new TypeError('several hosts need redis+sentinel:// or redis+cluster://')
  }
  const parts = path.split('/').filter((part) => part !== '')
  const master = kind === 'sentinel' ? parts.shift() : undefined
  if (kind === 'sentinel' && master === undefined) {
    throw new TypeError('redis+sentinel:// needs the name of the master: redis+sentinel://host:26379/NAME')
  }
  const db = parts.length === 0 ? 0 : Number(parts[0])
  if (!Number.isInteger(db) || db < 0 || parts.length > 1) throw new TypeError('the database of a Redis is a number')
  if (kind === 'cluster' && db !== 0) throw new TypeError('a Redis Cluster has database 0 alone')
  return {
    kind,
    hosts,
    tls: scheme === 'rediss',
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    db,
    ...(master !== undefined && { master: decodeURIComponent(master) }),
  }
}

function hostOf(text: string, usualPort: number): { host: string; port: number } {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(text)
  const port = Number(match?.[2] ?? usualPort)
  if (!match?.[1] || port < 1 || port > 65_535) throw new TypeError('a host of the Redis address is not host:port')
  return { host: match[1].replace(/^\[|\]$/g, ''), port }
}
