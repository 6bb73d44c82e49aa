import { sessionId } from '@chatbox/core'
import { checkRing, RingFault, type RotationConversations } from '@chatbox/crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ring, ringUsing } from '../rings.ts'
import { KEY_TTL_MS, openRotating, sealedBy } from './opened.ts'
import { createWriters } from './writers.ts'

class Killed extends Error {}

/** At which call of the database, and whether that was still done. */
interface Kill {
  readonly call: number
  readonly when: 'before' | 'after' | 'aborted'
}

const killBy = (max: number): fc.Arbitrary<Kill> =>
  fc.record({ call: fc.integer({ min: 1, max }), when: fc.constantFrom('before', 'after', 'aborted') })

/** A rotation of so little makes 20 to 70 calls: a kill by the 15th always hits, one by the 70th may come too late. */
const kills = fc.tuple(killBy(70), killBy(15), killBy(70))

/** From the call on nothing is done any more, as by a process that is gone. */
function dyingAt({ call, when }: Kill, inner: RotationConversations) {
  const ending = new AbortController()
  let calls = 0
  const dying =
    <Given extends unknown[], Result>(method: (...given: Given) => Promise<Result>) =>
    async (...given: Given): Promise<Result> => {
      calls += 1
      if (calls < call) return method(...given)
      if (when === 'aborted') {
        ending.abort(new Killed())
        return method(...given)
      }
      if (when === 'after' && calls === call) await method(...given)
      throw new Killed()
    }
  const conversations: RotationConversations = {
    session: dying(inner.session),
    turn: dying(inner.turn),
    turns: dying(inner.turns),
    keysInUse: dying(inner.keysInUse),
    keyedBy: dying(inner.keyedBy),
    changeKey: dying(inner.changeKey),
    resealNames: dying(inner.resealNames),
    resealTurn: dying(inner.resealTurn),
  }
  return { conversations, signal: ending.signal }
}

const RUNS = 12

describe('a rotation beside writers, killed twice and more', () => {
  it('ends with everything under the new key, which opens all that was ever accepted; the old key can then go, and not before', async () => {
    let died = 0
    await fc.assert(
      fc.asyncProperty(kills, fc.infiniteStream(fc.nat(10_000)), async ([first, second, third], numbers) => {
        const opened = await openRotating()
        const { inner, another, rotate, pass, unopenable } = opened
        const writers = createWriters(() => numbers.next().value)
        const processes = [
          another({ keyring: ring('k2', 'k1') }),
          another({ keyring: ring('k2', 'k1') }),
          // The last one that does not know yet which key is current.
          another({ keyring: ringUsing('k1', 'k2', 'k1') }),
        ]
        const before = another({ keyring: ring('k1') })
        await writers.write([before], 25)
        for (const sid of writers.sids) for (const process of processes) await process.turns(sid, { limit: 1 })
        await expect(checkRing(inner, ring('k2'))).rejects.toBeInstanceOf(RingFault)

        const dies = async (at: Kill) => {
          await rotate({ values: true, ...dyingAt(at, inner) }).catch((error: unknown) => {
            if (!(error instanceof Killed)) throw error
            died += 1
          })
        }
        await Promise.all([writers.write(processes, 10), dies(first)])
        await Promise.all([writers.write(processes, 10), dies(second)])
        const [current] = processes
        const known = processes.slice(0, 2)
        const [report] = await Promise.all([rotate({ values: true }), writers.write(known, 10)])
        expect(report.unopenable).toBe(0)
        expect(report.waitUntil).toBeGreaterThan(0)

        // All keys that were at hand before have run out.
        for (const process of processes) for (const sid of writers.sids) process.forget(sid)
        pass(2 * KEY_TTL_MS)
        await Promise.all([writers.write(known, 10), dies(third)])
        await Promise.all([writers.write(known, 10), rotate({ values: true })])
        expect(await rotate({ values: true })).toMatchObject({ rewrapped: 0, resealed: 0, unopenable: 0, left: 0 })

        expect(await checkRing(inner, ring('k2'))).toEqual(new Map([['k2', writers.sids.length]]))
        for (const sid of writers.sids) {
          const { ring: wrapped, keys, values } = await sealedBy(inner, sid, ring('k2'))
          expect(wrapped).toEqual(['k2', 'k2'])
          expect(keys).toEqual([expect.stringMatching(/ k2$/)])
          expect([keys[0]?.split(' ')[0]]).toEqual([...new Set(values)])
        }
        for (const reader of [another({ keyring: ring('k2') }), current]) {
          const { is, should } = await writers.compare(reader ?? before)
          expect(is).toEqual(should)
        }
        const [sid] = writers.sids
        expect((await another({ keyring: ring('k1') }).session(sid ?? sessionId('')))?.nm).toBeUndefined()
        expect(new Set(unopenable)).toEqual(new Set(['data-key']))
      }),
      { numRuns: RUNS },
    )
    // Otherwise nothing of this was about kills.
    expect(died).toBeGreaterThanOrEqual(RUNS)
  }, 120_000)
})
