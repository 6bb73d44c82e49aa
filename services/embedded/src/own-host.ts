const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

export const isLoopback = (host: string): boolean => host === '::1' || LOOPBACK.has(host)

/**
 * Which Host headers are this installation's own (X1). A name that somebody else's DNS points at this machine is not among them,
 * so a foreign page can't pass for ours.
 */
export function ownHost(listenHost: string, publicUrl: URL | undefined): (host: string) => boolean {
  const names = new Set(LOOPBACK)
  if (publicUrl) names.add(publicUrl.hostname)
  if (!isWildcard(listenHost)) names.add(listenHost.includes(':') ? `[${listenHost}]` : listenHost)
  return (host) => names.has(host.replace(/:\d+$/, ''))
}

export const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::'
