import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { Unopenable } from '@chatbox/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyIdOf, open, type SealingKey, seal, sealingKey } from '../src/value.ts'

const bytes = fc.uint8Array({ maxLength: 300 })
const keyId = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)
const secret: KeyObject = createSecretKey(randomBytes(32))
const aad = Buffer.from('a place')

/** Any id finds the key, so that nothing but the cipher stands between an edited value and its reader. */
const openWith = (key: KeyObject, value: Uint8Array, place: Uint8Array) => open(() => key, value, place)
const sealAs = (id: string, text: Uint8Array, place: Uint8Array = aad) => seal(sealingKey(id, secret), text, place)

describe('a sealed value', () => {
  it('opens to what was sealed, whatever the bytes, the place and the key id', () => {
    fc.assert(
      fc.property(keyId, bytes, bytes, (id, text, place) => {
        const value = sealAs(id, text, place)
        expect([...openWith(secret, value, place)]).toEqual([...text])
        expect(keyIdOf(value)).toBe(id)
      }),
    )
  })

  it('opens from any view of the bytes', () => {
    const value = sealAs('k1', Buffer.from('text'))
    const inside = new Uint8Array(value.length + 7)
    inside.set(value, 5)
    expect(Buffer.from(openWith(secret, inside.subarray(5, 5 + value.length), aad)).toString()).toBe('text')
  })

  it('does not open in another place', () => {
    fc.assert(
      fc.property(bytes, bytes, bytes, (text, here, there) => {
        fc.pre(Buffer.compare(here, there) !== 0)
        expect(() => openWith(secret, sealAs('k1', text, here), there)).toThrow(Unopenable)
      }),
    )
  })

  it('does not open after any single bit was changed', () => {
    const text = Buffer.from('forty-two bytes of what a person had to say')
    const value = sealAs('k1', text)
    const find = (id: string) => (id === 'k1' ? secret : undefined)
    expect(Buffer.from(open(find, value, aad))).toEqual(text)
    for (let bit = 0; bit < value.length * 8; bit += 1) {
      const edited = Buffer.from(value)
      edited[bit >> 3]! ^= 1 << (bit & 7)
      expect(() => open(find, edited, aad), `bit ${bit}`).toThrow(Unopenable)
    }
  })

  it('does not open when it was cut short, anywhere, or when something follows it', () => {
    const value = sealAs('k1', Buffer.from('text'))
    for (let length = 0; length < value.length; length += 1) {
      expect(() => openWith(secret, value.subarray(0, length), aad), `${length} bytes`).toThrow(Unopenable)
    }
    expect(() => openWith(secret, Buffer.concat([value, Buffer.alloc(1)]), aad)).toThrow(Unopenable)
  })

  it('does not open with another key, nor with one that is not there', () => {
    const value = sealAs('k1', Buffer.from('text'))
    expect(() => openWith(createSecretKey(randomBytes(32)), value, aad)).toThrow(Unopenable)
    expect(() => open(() => undefined, value, aad)).toThrow(Unopenable)
  })

  it('is refused whatever the bytes are, and with nothing but Unopenable', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (noise) => {
        expect(() => openWith(secret, noise, aad)).toThrow(Unopenable)
        expect(() => openWith(secret, new Uint8Array([1, ...noise]), aad)).toThrow(Unopenable)
      }),
    )
  })

  it('of an unknown version is refused before anything else is read in it', () => {
    const value = Buffer.from(sealAs('k1', Buffer.from('text')))
    value[0] = 2
    let asked = 0
    const find = () => {
      asked += 1
      return secret
    }
    expect(() => open(find, value, aad)).toThrow(Unopenable)
    expect(asked).toBe(0)
  })

  it('says nothing of the content when it fails', () => {
    const value = Buffer.from(sealAs('k1', Buffer.from('canary-of-content'), Buffer.from('canary-of-place')))
    value[value.length - 1]! ^= 1
    try {
      openWith(secret, value, Buffer.from('canary-of-place'))
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(Unopenable)
      expect(`${(error as Error).message} ${JSON.stringify(error)}`).not.toContain('canary')
      expect((error as Error).cause).toBeUndefined()
    }
  })
})

describe('a nonce', () => {
  const nonceOf = (value: Uint8Array, { head }: SealingKey) =>
    Buffer.from(value.subarray(head.length, head.length + 12)).toString('hex')

  it('is never used twice, and the same text never looks the same', () => {
    const key = sealingKey('k1', secret)
    const values = Array.from({ length: 50_000 }, () => seal(key, Buffer.from('same'), aad))
    expect(new Set(values.map((value) => nonceOf(value, key))).size).toBe(values.length)
  })
})
