import { createHash, randomBytes } from 'node:crypto'
import { Unopenable } from '@chatbox/core'
import { createKeyring, defaultHashKey, type Keyring, keyIdOf } from '@chatbox/crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ring, ringKey } from './rings.ts'

const aad = Buffer.from('a place')
const text = Buffer.from('text')
const opened = (keyring: Keyring, value: Uint8Array) =>
  Buffer.from(keyring.box('user', 'anna').open(value, aad)).toString()

describe('a rotation of keys', () => {
  const old = ring('k1').box('user', 'anna').seal(text, aad)

  it('keeps what the old key sealed readable, and seals with the new one', () => {
    const both = ring('k2', 'k1')
    const fresh = both.box('user', 'anna').seal(text, aad)
    expect([keyIdOf(old), keyIdOf(fresh)]).toEqual(['k1', 'k2'])
    expect([opened(both, old), opened(both, fresh)]).toEqual(['text', 'text'])
  })

  it('lets a process that knows the new key, but does not use it yet, read what it seals (R28)', () => {
    const fresh = ring('k2', 'k1').box('user', 'anna').seal(text, aad)
    const prepared = createKeyring({ keys: [ringKey('k2'), ringKey('k1')], currentId: 'k1' })
    expect(opened(prepared, fresh)).toBe('text')
    expect(keyIdOf(prepared.box('user', 'anna').seal(text, aad))).toBe('k1')
    expect(prepared.tag('anna', 'user')).toBe(ring('k1').tag('anna', 'user'))
    expect(() => opened(ring('k1'), fresh)).toThrow(Unopenable)
  })

  it('ends what a dropped key sealed', () => {
    expect(() => opened(ring('k2'), old)).toThrow(Unopenable)
  })

  it('is not fooled by another key under the same id', () => {
    const other = createKeyring({ keys: [{ id: 'k1', key: randomBytes(32) }] })
    expect(() => opened(other, old)).toThrow(Unopenable)
  })
})

describe('keys of a ring', () => {
  it('differ for each purpose and for each name', () => {
    const keyring = ring('k1')
    const boxes = [
      keyring.box('user', 'anna'),
      keyring.box('user', 'berta'),
      keyring.box('user'),
      keyring.box('reply', 'anna'),
      keyring.box('entry', 'anna'),
      keyring.box('outcome', 'anna'),
      keyring.box('data-key', 'anna'),
    ]
    for (const [i, sealing] of boxes.entries()) {
      const value = sealing.seal(text, aad)
      for (const [j, opening] of boxes.entries()) {
        if (i === j) expect(Buffer.from(opening.open(value, aad))).toEqual(text)
        else expect(() => opening.open(value, aad)).toThrow(Unopenable)
      }
    }
  })

  it('are refused when they are none, of another length, twice the same, or named badly', () => {
    const { key } = ringKey('k1')
    expect(() => createKeyring({ keys: [] })).toThrow('at least one key')
    expect(() => createKeyring({ keys: [{ id: 'k1', key: key.subarray(1) }] })).toThrow('31 bytes')
    expect(() => createKeyring({ keys: [ringKey('k1'), ringKey('k1')] })).toThrow('two keys')
    expect(() => createKeyring({ keys: [ringKey('k1'), { id: 'k2', key }] })).toThrow('are the same')
    expect(() => createKeyring({ keys: [ringKey('k1')], currentId: 'k2' })).toThrow('not in the ring')
    for (const id of ['', 'k 1', 'k'.repeat(65), 'ö']) {
      expect(() => createKeyring({ keys: [{ id, key }] })).toThrow('a key id is')
    }
    expect(() => createKeyring({ keys: [ringKey('k1')], hashKey: key.subarray(2) })).toThrow('hash key has 30 bytes')
  })

  it('are copied: wiping what was handed in changes nothing', () => {
    const key = randomBytes(32)
    const value = createKeyring({ keys: [{ id: 'k1', key: Buffer.from(key) }] })
      .box('user', 'anna')
      .seal(text, aad)
    const handed = Buffer.from(key)
    const keyring = createKeyring({ keys: [{ id: 'k1', key: handed }] })
    handed.fill(0)
    expect(opened(keyring, value)).toBe('text')
  })

  it('are in no text that is made of the ring', () => {
    const key = createHash('sha256').update('a key').digest()
    const keyring = createKeyring({ keys: [{ id: 'k1', key }] })
    keyring.box('user', 'anna').seal(text, aad)
    const shown = JSON.stringify([keyring, keyring.box('user', 'anna')])
    for (const encoding of ['hex', 'base64', 'base64url', 'latin1'] as const) {
      expect(shown).not.toContain(key.toString(encoding))
    }
  })
})

describe('a tag', () => {
  const keyring = ring('k1')

  it('is 22 characters that fit into any key, and the same each time', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (value, domain) => {
        const tag = keyring.tag(value, domain)
        expect(tag).toMatch(/^[A-Za-z0-9_-]{22}$/)
        expect(keyring.tag(value, domain)).toBe(tag)
      }),
    )
  })

  it('differs for other values and other domains, however the two are cut', () => {
    const pairs = [
      ['ab', 'c'],
      ['b', 'ca'],
      ['', 'cab'],
      ['abc', ''],
      ['1:a', ''],
      ['a', '1:'],
      ['\ud800', 'c'],
      ['\ud801', 'c'],
      ['\ufffd', 'c'],
    ] as const
    expect(new Set(pairs.map(([value, domain]) => keyring.tag(value, domain))).size).toBe(pairs.length)
  })

  it('cannot be made without the key', () => {
    expect(ring('k2').tag('anna', 'user')).not.toBe(keyring.tag('anna', 'user'))
  })

  it('stays the same when a new first key is added', () => {
    for (const later of [ring('k2', 'k1'), ring('k3', 'k2', 'k1')]) {
      expect(later.tag('anna', 'user')).toBe(keyring.tag('anna', 'user'))
    }
  })

  it('changes when the oldest key is dropped, unless its hash key was set before', () => {
    const tag = keyring.tag('anna', 'user')
    const hashKey = defaultHashKey(ringKey('k1').key)
    expect(ring('k2').tag('anna', 'user')).not.toBe(tag)
    expect(createKeyring({ keys: [ringKey('k2')], hashKey }).tag('anna', 'user')).toBe(tag)
    expect(createKeyring({ keys: [ringKey('k2'), ringKey('k1')], hashKey }).tag('anna', 'user')).toBe(tag)
  })
})

describe('the fingerprints of a ring', () => {
  it('are the same wherever the keys are, and others for each key', () => {
    const [one, both] = [ring('k1').fingerprints, ring('k2', 'k1').fingerprints]
    expect(both.keys.get('k1')).toBe(one.keys.get('k1'))
    expect(both.hashKey).toBe(one.hashKey)
    expect(both.keys.get('k2')).not.toBe(both.keys.get('k1'))
    const stranger = createKeyring({ keys: [{ id: 'k1', key: randomBytes(32) }], hashKey: randomBytes(32) })
    expect(stranger.fingerprints.keys.get('k1')).not.toBe(one.keys.get('k1'))
    expect(stranger.fingerprints.hashKey).not.toBe(one.hashKey)
  })
})
