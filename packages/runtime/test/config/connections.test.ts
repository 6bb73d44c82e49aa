import { describe, expect, it } from 'vitest'
import {
  ConfigError,
  connectionCaps,
  group,
  loadConfig,
  rateLimits,
  shutdown,
  trustedProxyHops,
} from '../../src/index.ts'

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

describe('settings of a stop', () => {
  const stop = shutdown({ timeout: '25s', delay: '5s' })

  it('leave time for the stop itself after the delay', () => {
    expect(loadConfig(stop, {}).config).toEqual({ timeout: 25_000, delay: 5_000 })
    expect(() => loadConfig(stop, { DRAIN_DELAY: '25s' })).toThrow('DRAIN_DELAY: must be shorter than SHUTDOWN_TIMEOUT')
    expect(() => loadConfig(stop, { SHUTDOWN_TIMEOUT: '4s' })).toThrow('DRAIN_DELAY')
    expect(() => loadConfig(stop, { DRAIN_DELAY: '5' })).toThrow('DRAIN_DELAY')
  })
})
