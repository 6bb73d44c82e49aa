import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressKind, mayBeAt, plainHost, upstreamFault } from '../../src/index.ts'

describe('what an address is', () => {
  it.each([
    ['93.184.215.14', 'public'],
    ['2606:2800:21f:cb07::1', 'public'],
    ['::ffff:93.184.215.14', 'public'],
    ['64:ff9b::5db8:d70e', 'public'],
    ['127.0.0.1', 'loopback'],
    ['127.9.9.9', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['100.100.100.200', 'private'],
    ['fc00::1', 'private'],
    ['fd00:ec2::254', 'private'],
    ['::ffff:10.0.0.1', 'private'],
    ['::10.0.0.1', 'private'],
    ['64:ff9b::a00:1', 'private'],
    ['169.254.169.254', 'link-local'],
    ['::ffff:169.254.169.254', 'link-local'],
    ['64:ff9b::a9fe:a9fe', 'link-local'],
    ['168.63.129.16', 'link-local'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['0.0.0.0', 'unusable'],
    ['::', 'unusable'],
    ['255.255.255.255', 'unusable'],
    ['224.0.0.1', 'unusable'],
    ['ff02::1', 'unusable'],
    ['240.0.0.1', 'unusable'],
    ['192.0.2.1', 'unusable'],
    ['198.18.0.1', 'unusable'],
    ['2001:db8::1', 'unusable'],
    ['2002:a00:1::', 'unusable'],
    ['2001:0:4136:e378:8000:63bf:3fff:fdd2', 'unusable'],
    ['64:ff9b:1::a00:1', 'unusable'],
    ['64:ff9b:1::5db8:d70e', 'unusable'],
    ['fec0::1', 'unusable'],
    ['nonsense', 'unusable'],
    ['', 'unusable'],
  ])('%s is %s', (address, kind) => {
    expect(addressKind(address)).toBe(kind)
  })

  it('an IPv4 address is the same however it is put into one of IPv6', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(addressKind(`::ffff:${address}`)).toBe(addressKind(address))
      }),
    )
  })
})

describe('where a host may be', () => {
  it.each([
    ['api.example.com', '93.184.215.14', [], true],
    ['api.example.com', '10.0.0.1', [], false],
    ['api.example.com', '127.0.0.1', [], false],
    ['api.example.com', '10.0.0.1', ['other.example.com'], false],
    ['llm.internal', '10.0.0.1', ['llm.internal'], true],
    ['llm.internal', '127.0.0.1', ['llm.internal'], true],
    ['llm.internal', '169.254.169.254', ['llm.internal'], false],
    ['169.254.169.254', '169.254.169.254', ['169.254.169.254'], true],
    ['llm.internal', '0.0.0.0', ['llm.internal'], false],
    ['localhost', '127.0.0.1', [], true],
    ['localhost', '::1', [], true],
    ['localhost', '93.184.215.14', [], false],
    ['llm.localhost', '10.0.0.1', [], false],
  ])('%s at %s with %j: %s', (host, address, privateHosts, may) => {
    expect(mayBeAt(host, address, privateHosts)).toBe(may)
  })
})

describe('the address of an upstream', () => {
  const faultOf = (url: string, privateHosts: readonly string[] = []) => upstreamFault(new URL(url), privateHosts)

  it.each([
    ['https://api.example.com/v1', []],
    ['https://[2606:2800:21f:cb07::1]/v1', []],
    ['http://localhost:11434/v1', []],
    ['http://127.0.0.1:11434/v1', []],
    ['http://[::1]:11434/v1', []],
    ['http://llm.internal:8000/v1', ['llm.internal']],
    ['http://10.1.2.3:8000/v1', ['10.1.2.3']],
    ['http://[fd00::5]:8000/v1', ['fd00::5']],
  ])('%s is fine with %j', (url, privateHosts) => {
    expect(faultOf(url, privateHosts)).toBeUndefined()
  })

  it.each([
    ['http://api.example.com/v1', 'must be https'],
    ['http://127.0.0.1.nip.example/v1', 'must be https'],
    ['https://you@api.example.com/v1', 'no user'],
    ['ftp://api.example.com/v1', 'must be an https URL'],
    ['file:///etc/passwd', 'must be an https URL'],
    ['https://10.0.0.1/v1', 'private or reserved'],
    ['https://169.254.169.254/latest', 'private or reserved'],
    ['https://[::ffff:169.254.169.254]/latest', 'private or reserved'],
    ['https://[fd00:ec2::254]/latest', 'private or reserved'],
    // The same addresses as numbers: decimal, octal, hexadecimal, shortened, and with other digits.
    ['https://167772161/v1', 'private or reserved'],
    ['https://0xa9fea9fe/v1', 'private or reserved'],
    ['https://0251.0376.0251.0376/v1', 'private or reserved'],
    ['https://10.1/v1', 'private or reserved'],
    ['https://１０.0.0.1/v1', 'private or reserved'],
    ['https://10.0.0.1./v1', 'private or reserved'],
    ['https://0/v1', 'private or reserved'],
  ])('%s is refused: %s', (url, sentence) => {
    expect(faultOf(url)).toContain(sentence)
  })

  it('has one spelling of its host', () => {
    expect(plainHost(new URL('https://API.Example.com./').hostname)).toBe('api.example.com')
    expect(plainHost(new URL('https://[FD00::0005]/').hostname)).toBe('fd00::5')
  })
})
