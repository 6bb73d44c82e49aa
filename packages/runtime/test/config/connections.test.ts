import { describe, expect, it } from 'vitest'
import { ConfigError, connectionCaps, group, loadConfig, rateLimits, trustedProxyHops } from '../../src/index.ts'

const all = group({ hops: trustedProxyHops(), caps: connectionCaps(), rates: rateLimits() })

describe('settings of connections', () => {
  it('trust no proxy unless told how many there are', () => {
    expect(loadConfig(all, {}).config.hops).toBe(0)
    expect(loadConfig(all, { TRUSTED_PROXY_HOPS: '2' }).config.hops).toBe(2)
  })

  it.each([
    ['TRUSTED_PROXY_HOPS', '-1'],
    ['TRUSTED_PROXY_HOPS', 'all'],
    ['TRUSTED_PROXY_HOPS', '17'],
    ['MAX_CONNECTIONS_PER_USER', '0'],
    ['MAX_UNAUTHENTICATED_PER_ADDRESS', '0'],
    ['RATE_LIMIT_HANDSHAKES', '0'],
  ])('%s is refused as %s, by its name', (name, value) => {
    const load = () => loadConfig(all, { [name]: value })
    expect(load).toThrow(ConfigError)
    expect(load).toThrow(name)
  })
})
