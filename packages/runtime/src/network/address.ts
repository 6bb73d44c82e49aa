import { isIP } from 'node:net'
import type { Logger } from '../log/logger.ts'

/** Where a request comes from, for whoever is connected to us and what X-Forwarded-For says (all its lines, joined by commas). */
export type AddressOf = (peer: string, forwardedFor: string) => string

/**
 * Behind so many trusted proxies the client stands at that place from the right: each of them appended whom it heard from, the last of
 * them being our peer. Whatever stands further left anybody may have written (security 1, 21). With no trusted hop nothing is read.
 */
export function trustedAddress(hops: number, log: Logger): AddressOf {
  let told = false
  return (peer, forwardedFor) => {
    if (hops === 0) return canonical(peer) ?? peer
    const address = canonical(forwardedFor.split(',').at(-hops) ?? '')
    if (address !== undefined) return address
    if (!told)
      log.debug({ hops }, 'X-Forwarded-For does not reach back to the trusted hop; the peer counts as the client')
    told = true
    return canonical(peer) ?? peer
  }
}

/** What limits count by: a whole network of IPv6, because a single customer has that many addresses. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address
  return `${groupsOf(address).slice(0, 4).map(shortest).join(':')}::/64`
}

/** One spelling for each address, without a port or a zone; undefined for anything else. */
function canonical(text: string): string | undefined {
  const bare = text.trim().replace(/^\[([^\]]*)\](?::\d{1,5})?$/, '$1')
  const plain = isIP(bare) === 0 ? bare.replace(/:\d{1,5}$/, '') : bare.replace(/%.*$/, '')
  const version = isIP(plain)
  if (version === 0) return undefined
  if (version === 4) return plain
  const groups = groupsOf(plain)
  // An IPv4 peer of a socket that listens for both.
  if (groups.slice(0, 6).join() === '0,0,0,0,0,65535') return groups.slice(6).flatMap(bytesOf).join('.')
  return groups.map(shortest).join(':')
}

const bytesOf = (group: number): number[] => [group >> 8, group & 255]
const shortest = (group: number): string => group.toString(16)

/** The eight numbers of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const text = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, a, b, c, d) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map(shortest).join(':'),
  )
  const [left = '', right] = text.split('::')
  const numbers = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const [before, after] = [numbers(left), numbers(right ?? '')]
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after]
}
