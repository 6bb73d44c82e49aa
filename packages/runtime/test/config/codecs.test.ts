import { describe, expect, it } from 'vitest'
import { type Codec, codec } from '../../src/index.ts'

function value<T>(of: Codec<T>, raw: string): T | undefined {
  const parsed = of.safeParse(raw)
  return parsed.success ? parsed.data : undefined
}

describe('a duration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['2m', 120_000],
    ['12h', 43_200_000],
    ['7d', 604_800_000],
    ['0s', 0],
  ])('%s is %d ms', (raw, ms) => expect(value(codec.duration(), raw)).toBe(ms))

  it.each(['30', '-1s', '1.5s', '5 s', '1e3ms', 's', '30S', '9999999999999s', '400d'])('%s is refused', (raw) =>
    expect(value(codec.duration(), raw)).toBeUndefined(),
  )
})

describe('a size', () => {
  it.each([
    ['65536', 65_536],
    ['64KiB', 65_536],
    ['64 kib', 65_536],
    ['1MB', 1_000_000],
    ['2GiB', 2_147_483_648],
    ['10b', 10],
  ])('%s is %d bytes', (raw, bytes) => expect(value(codec.size(), raw)).toBe(bytes))

  it.each(['-1', '1.5MB', '64K', 'KiB', '0x10'])('%s is refused', (raw) =>
    expect(value(codec.size(), raw)).toBeUndefined(),
  )
})

describe('a boolean', () => {
  it.each(['true', '1', 'yes', 'ON'])('%s is true', (raw) => expect(value(codec.bool, raw)).toBe(true))
  it.each(['false', '0', 'no', 'Off'])('%s is false', (raw) => expect(value(codec.bool, raw)).toBe(false))
  it('is nothing else', () => expect(value(codec.bool, 'maybe')).toBeUndefined())
})

describe('a list', () => {
  it('drops blanks, empty entries and repetitions', () =>
    expect(value(codec.list(codec.text), ' a, b,,a , c,')).toEqual(['a', 'b', 'c']))
  it('is empty for nothing', () => expect(value(codec.list(codec.text), '')).toEqual([]))
})

describe('an origin', () => {
  it.each(['https://www.example.com', 'http://localhost:3000', 'https://[2001:db8::1]:8443'])('%s is one', (raw) =>
    expect(value(codec.origin, raw)).toBe(raw),
  )
  it.each([
    'https://www.example.com/',
    'https://www.example.com/chat',
    'https://www.example.com:443',
    'https://WWW.example.com',
    'https://*.example.com',
    'https://a@example.com',
    'www.example.com',
    'ftp://example.com',
    'file:///etc',
    'null',
    '*',
  ])('%s is none', (raw) => expect(value(codec.origin, raw)).toBeUndefined())
})

describe('a URL', () => {
  it.each(['https://user:pass@example.com', 'https://example.com/#top', 'javascript:alert(1)', '/chat', 'example.com'])(
    '%s is refused',
    (raw) => expect(value(codec.webUrl, raw)).toBeUndefined(),
  )
  it('of keys is https, or http to this machine', () => {
    expect(value(codec.secureUrl, 'https://id.example.com/keys')?.href).toBe('https://id.example.com/keys')
    expect(value(codec.secureUrl, 'http://127.0.0.1:9000/keys')?.port).toBe('9000')
    expect(value(codec.secureUrl, 'http://id.example.com/keys')).toBeUndefined()
    expect(value(codec.secureUrl, 'http://localhost.example.com/keys')).toBeUndefined()
  })
})

describe('a host', () => {
  it.each(['0.0.0.0', '::', '127.0.0.1', 'localhost', 'chat.example.com'])('%s is one', (raw) =>
    expect(value(codec.host, raw)).toBe(raw),
  )
  it.each(['http://a', 'a b', '-a', 'a/b', 'a:80'])('%s is none', (raw) =>
    expect(value(codec.host, raw)).toBeUndefined(),
  )
})
