import ipaddr from 'ipaddr.js'

/** What an address is, for whoever must not be led to another one than meant (security 35). */
export type AddressKind = 'public' | 'loopback' | 'private' | 'link-local' | 'unusable'

const KINDS: Readonly<Partial<Record<string, AddressKind>>> = {
  loopback: 'loopback',
  private: 'private',
  uniqueLocal: 'private',
  carrierGradeNat: 'private',
  linkLocal: 'link-local',
}

/** Everything that is not known to be good is unusable: reserved ranges, tunnels, multicast, what is no address. */
export function addressKind(text: string): AddressKind {
  if (!ipaddr.isValid(text)) return 'unusable'
  // An IPv4 address written as one of IPv6 is the IPv4 address.
  const address = ipaddr.process(text)
  const range: string = address.range()
  if (address.kind() === 'ipv4') {
    if (CLOUD_HOSTS.has(address.toString())) return 'link-local'
    return range === 'unicast' ? 'public' : (KINDS[range] ?? 'unusable')
  }
  const bytes = address.toByteArray()
  // NAT64 by the well-known prefix: how a network without IPv4 reaches an IPv4 address.
  if (range === 'rfc6052')
    return bytes.slice(4, 12).every((byte) => byte === 0) ? addressKind(bytes.slice(12).join('.')) : 'unusable'
  if (range === 'unicast') return isGlobal(bytes) ? 'public' : 'unusable'
  return KINDS[range] ?? 'unusable'
}

/** Where a cloud serves its machines from an address that looks public. */
const CLOUD_HOSTS = new Set(['168.63.129.16'])

/** 2000::/3 is all that has been given out. */
const isGlobal = ([first = 0]: number[]): boolean => (first & 0xe0) === 0x20

/** One spelling of a URL's host: without brackets, and without the dot that ends a full name. */
export const plainHost = (hostname: string): string =>
  hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')

/** Names and addresses that never leave this machine. */
export const isLoopbackHost = (host: string): boolean =>
  host === 'localhost' || host.endsWith('.localhost') || addressKind(host) === 'loopback'

/**
 * Whether a host may be at this address. A name must not lead into a private network, unless it is one of those that may; and even
 * then not to where clouds keep the credentials of their machines, unless that very address is named.
 */
export function mayBeAt(host: string, address: string, privateHosts: readonly string[]): boolean {
  const kind = addressKind(address)
  const named = privateHosts.includes(host)
  if (isLoopbackHost(host)) return kind === 'loopback'
  switch (kind) {
    case 'public':
      return true
    case 'loopback':
    case 'private':
      return named
    case 'link-local':
      return named && host === address
    case 'unusable':
      return false
  }
}

/** What is wrong with the address of an upstream, as the end of a sentence that repeats nothing of it. */
export function upstreamFault(url: URL, privateHosts: readonly string[]): string | undefined {
  const host = plainHost(url.hostname)
  if (url.username !== '' || url.password !== '') return 'must have no user and no password in it'
  if (url.protocol === 'http:' && !isLoopbackHost(host) && !privateHosts.includes(host))
    return 'must be https; http is for loopback addresses and for hosts that PROVIDER_ALLOW_PRIVATE names'
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must be an https URL'
  if (ipaddr.isValid(host) && !mayBeAt(host, host, privateHosts))
    return 'is at a private or reserved address; PROVIDER_ALLOW_PRIVATE names those that may be'
  return undefined
}
