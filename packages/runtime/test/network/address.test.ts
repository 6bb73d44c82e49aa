import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLogger, networkOf, trustedAddress } from '../../src/index.ts'

const PEER = '192.0.2.1'
const quiet = createLogger({ service: 'test', level: 'silent' })

describe('the address of a client (security 1, 21)', () => {
  it.each([
    [0, '203.0.113.9', PEER],
    [1, '203.0.113.9', '203.0.113.9'],
    [1, 'evil, 10.0.0.1,203.0.113.9 ', '203.0.113.9'],
    [2, 'evil, 203.0.113.9, 10.0.0.1', '203.0.113.9'],
    [3, '203.0.113.9, 10.0.0.1', PEER],
    [1, '', PEER],
    [1, 'unknown', PEER],
    [1, '203.0.113.9,', PEER],
    [1, '203.0.113.9.evil.net', PEER],
    [1, '999.0.113.9', PEER],
    [1, '203.0.113.9:5678', '203.0.113.9'],
    [1, '[2001:db8::1]:5678', '2001:db8:0:0:0:0:0:1'],
    [1, '2001:DB8::0:1', '2001:db8:0:0:0:0:0:1'],
    [1, '::ffff:203.0.113.9', '203.0.113.9'],
    [1, 'fe80::1%eth0', 'fe80:0:0:0:0:0:0:1'],
  ])('with %i trusted hops and "%s" is %s', (hops, forwarded, address) => {
    expect(trustedAddress(hops, quiet)(PEER, forwarded)).toBe(address)
  })

  it('has one spelling, whichever way the system writes its peer', () => {
    const of = trustedAddress(0, quiet)
    expect(of('0000:0000:0000:0000:0000:ffff:c000:0201', '')).toBe(PEER)
    expect(of('2001:0db8:0000:0000:0000:0000:0000:0001', '')).toBe(of('2001:db8::1', ''))
  })

  it('counts as a network of IPv6, and as itself in IPv4', () => {
    expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64')
    expect(networkOf('2001:db8:1:2:ffff::')).toBe(networkOf('2001:db8:1:2::1'))
    expect(networkOf('2001:db8:1:3::1')).not.toBe(networkOf('2001:db8:1:2::1'))
    expect(networkOf('203.0.113.9')).toBe('203.0.113.9')
  })

  it('is an address whatever stands in the header', () => {
    const of = trustedAddress(1, quiet)
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), (header) => {
        expect(of(PEER, header)).toMatch(/^[0-9a-f.:]+$/)
        networkOf(of(PEER, header))
      }),
    )
    fc.assert(fc.property(fc.ipV6(), (ip) => of(PEER, ip) !== PEER))
  })
})
