import { checkRing, createKeyring, RingFault } from '@chatbox/crypto'
import { describe, expect, it } from 'vitest'
import { other, session, sid, stub } from '../conversations/samples.ts'
import { ring, ringKey } from '../rings.ts'
import { withTurns } from './opened.ts'

const faultOf = async (checking: Promise<unknown>): Promise<RingFault> => {
  const fault = await checking.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(fault instanceof RingFault)) throw new Error('the ring was taken')
  return fault
}

describe('the ring that a service starts with', () => {
  it('says how many sessions are under each of its keys', async () => {
    const { inner } = await withTurns()
    expect(await checkRing(inner, ring('k2', 'k1'))).toEqual(new Map([['k1', 2]]))
  })

  it('is refused while a key is not in it that sessions are sealed by; after a rotation that key can go (security 33)', async () => {
    const { inner, another, rotate } = await withTurns()
    await another({ keyring: ring('k2') }).createSession(session('third' as typeof sid))
    const fault = await faultOf(checkRing(inner, ring('k2')))
    expect(fault.code).toBe('ring_fault')
    expect(fault.sessions).toEqual(new Map([['k1', 2]]))
    expect(fault.message).toBe(
      '2 sessions are sealed by the key k1, which is not in ENCRYPTION_KEYS. Put it back; it can go when a rotation has come to its end.',
    )
    await rotate()
    expect(await checkRing(inner, ring('k2'))).toEqual(new Map([['k2', 3]]))
  })

  it('may lack the key of a session that was erased', async () => {
    const { inner, sealed } = await withTurns()
    for (const id of [sid, other]) await sealed.eraseTurns(id, stub(5))
    expect(await checkRing(inner, ring('k9'))).toEqual(new Map())
  })

  it('is refused when it has another key under the same id', async () => {
    const { inner, another } = await withTurns()
    await another({ keyring: ring('k0') }).createSession(session('third' as typeof sid))
    const keyring = createKeyring({ keys: [{ id: 'k1', key: ringKey('k7').key }], setting: 'ENCRYPTION_KEY' })
    const fault = await faultOf(checkRing(inner, keyring))
    expect(fault.message).toMatch(/^1 session is sealed by the key k0, .* 2 sessions are sealed by a key k1 that is/)
    // The setting that there is.
    expect(fault.message.match(/ENCRYPTION_KEYS?/g)).toEqual(['ENCRYPTION_KEY', 'ENCRYPTION_KEY'])
  })

  it('is not judged by one session that was damaged', async () => {
    const { inner } = await withTurns()
    const row = await inner.session(sid)
    if (!row) throw new Error('there is no such session')
    await inner.changeKey(sid, row.key, row.key.toReversed(), 'k1')
    expect(await checkRing(inner, ring('k1'))).toEqual(new Map([['k1', 2]]))
  })
})
