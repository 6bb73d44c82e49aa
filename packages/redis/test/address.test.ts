import { parseRedisUrl } from '@chatbox/redis'
import { describe, expect, it } from 'vitest'

describe('the address of a Redis', () => {
  it('names one server, with its usual port', () => {
    expect(parseRedisUrl('redis://example.org')).toEqual({
      kind: 'single',
      hosts: [{ host: 'example.org', port: 6379 }],
      tls: false,
      db: 0,
    })
  })

  it('may have TLS, an ACL user, a password with odd characters, and a database', () => {
    const password = encodeURIComponent('p@ss:w')
    expect(parseRedisUrl(`rediss://chat:${password}@10.0.0.1:6380/3`)).toEqual({
      kind: 'single',
      hosts: [{ host: '10.0.0.1', port: 6380 }],
      tls: true,
      username: 'chat',
      password: 'p@ss:w',
      db: 3,
    })
    expect(parseRedisUrl('redis://:secret@localhost')).toMatchObject({ password: 'secret' })
    expect(parseRedisUrl('redis://:secret@localhost')).not.toHaveProperty('username')
  })

  it('names sentinels and the master, or nodes of a cluster', () => {
    expect(parseRedisUrl('redis+sentinel://:pw@a,b:5000/chat/2')).toEqual({
      kind: 'sentinel',
      hosts: [
        { host: 'a', port: 26379 },
        { host: 'b', port: 5000 },
      ],
      tls: false,
      password: 'pw',
      master: 'chat',
      db: 2,
    })
    expect(parseRedisUrl('rediss+cluster://[::1]:7000,[fd00::2]')).toMatchObject({
      kind: 'cluster',
      tls: true,
      hosts: [
        { host: '::1', port: 7000 },
        { host: 'fd00::2', port: 6379 },
      ],
    })
  })

  it.each([
    ['http://localhost', 'not an address'],
    ['redis://', 'not an address'],
    ['redis://a,b', 'several hosts'],
    ['redis://a:99999', 'host:port'],
    ['redis://a:0', 'host:port'],
    ['redis://a/b', 'a number'],
    ['redis+sentinel://a', 'name of the master'],
    ['redis+cluster://a/1', 'database 0'],
  ])('refuses %s with a sentence', (url, sentence) => {
    expect(() => parseRedisUrl(url)).toThrow(sentence)
  })

  it('never says a password', () => {
    for (const url of ['redis://u:hunter2@', 'redis://u:hunter2@a,b', 'redis://u:hunter2@a:99999']) {
      expect(() => parseRedisUrl(url)).toThrow(/^(?!.*hunter2)/)
    }
  })
})
