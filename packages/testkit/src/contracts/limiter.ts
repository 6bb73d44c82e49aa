import { setTimeout as delay } from 'node:timers/promises'
import type { Consumed } from '@chatbox/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Build, opener } from './adapter.ts'

const LIMITS = {
  message: { points: 5, perMs: 60_000 },
  handshake: { points: 50, perMs: 60_000 },
  brief: { points: 2, perMs: 500 },
}

/** Everything that holds for a Limiter, whatever it is kept in. */
export function limiterContract(name: string, build: Build<'limiter'>): void {
  describe(`Limiter on ${name}`, () => {
    const open = opener(build)
    const start = () => open({ limits: LIMITS })

    it('counts a budget down, then refuses and says for how long', async () => {
      const { limiter } = await start()
      for (const remaining of [4, 3, 2, 1, 0]) {
        expect(await limiter.consume('message', 'user')).toEqual({ allowed: true, remaining })
      }
      for (let i = 0; i < 2; i += 1) expectRefused(await limiter.consume('message', 'user'), LIMITS.message.perMs)
    })

    it('admits exactly its budget of two hundred that ask at once', async () => {
      const { limiter } = await start()
      const outcomes = await Promise.all(Array.from({ length: 200 }, () => limiter.consume('handshake', 'address')))
      expect(outcomes.filter(({ allowed }) => allowed)).toHaveLength(50)
      const remaining = outcomes.flatMap((outcome) => (outcome.allowed ? [outcome.remaining] : []))
      expect(remaining.sort((a, b) => b - a)).toEqual(Array.from({ length: 50 }, (_, i) => 49 - i))
    })

    it('keeps keys and buckets apart', async () => {
      const { limiter } = await start()
      for (let i = 0; i < 6; i += 1) await limiter.consume('message', 'user')
      expect(await limiter.consume('message', 'somebody else')).toMatchObject({ allowed: true })
      expect(await limiter.consume('handshake', 'user')).toMatchObject({ allowed: true })
      expect(await limiter.consume('message', 'user')).toMatchObject({ allowed: false })
    })

    it('takes several points at once, and never more than there are', async () => {
      const { limiter } = await start()
      expect(await limiter.consume('message', 'user', 3)).toEqual({ allowed: true, remaining: 2 })
      expectRefused(await limiter.consume('message', 'user', 3), LIMITS.message.perMs)
      expectRefused(await limiter.consume('message', 'another', 6), LIMITS.message.perMs)
    })

    it('tells what is left without taking of it', async () => {
      const { limiter } = await start()
      for (let i = 0; i < 3; i += 1) {
        expect(await limiter.peek('message', 'user')).toEqual({ allowed: true, remaining: 5 })
      }
      await limiter.consume('message', 'user', 4)
      for (let i = 0; i < 3; i += 1) {
        expect(await limiter.peek('message', 'user')).toEqual({ allowed: true, remaining: 1 })
      }
      await limiter.consume('message', 'user')
      expectRefused(await limiter.peek('message', 'user'), LIMITS.message.perMs)
    })

    it('refills with time: what it said to wait for is enough', async () => {
      const { limiter } = await start()
      for (let i = 0; i < 2; i += 1) await limiter.consume('brief', 'user')
      const refused = await limiter.consume('brief', 'user')
      expectRefused(refused, LIMITS.brief.perMs)
      // Stores may round to their own ticks.
      if (!refused.allowed) await delay(refused.retryAfterMs + 20)
      expect(await limiter.peek('brief', 'user')).toEqual({ allowed: true, remaining: 2 })
      expect(await limiter.consume('brief', 'user')).toEqual({ allowed: true, remaining: 1 })
    })

    it('knows no other buckets than those it was made with', async () => {
      const { limiter } = await start()
      await expect(limiter.consume('unheard of', 'user')).rejects.toThrow()
      await expect(limiter.peek('unheard of', 'user')).rejects.toThrow()
    })

    it('does what the simplest model says, whatever is asked in whatever order, one by one or at once', async () => {
      const { limiter } = await start()
      let runs = 0
      const call = fc.record({
        bucket: fc.constantFrom('message', 'handshake'),
        key: fc.constantFrom('one', 'two', 'three'),
        points: fc.integer({ min: 0, max: 7 }),
      })
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(call, { minLength: 1, maxLength: 6 }), { maxLength: 12 }),
          async (rounds) => {
            runs += 1
            const run = runs
            const used = new Map<string, number>()
            for (const round of rounds) {
              const outcomes = await Promise.all(
                round.map(({ bucket, key, points }) =>
                  points === 0
                    ? limiter.peek(bucket, `${key}-${run}`)
                    : limiter.consume(bucket, `${key}-${run}`, points),
                ),
              )
              for (const { bucket, key, points } of round) {
                used.set(`${bucket} ${key}`, (used.get(`${bucket} ${key}`) ?? 0) + points)
              }
              // Within a round the order is the store's; what is used up in all is not, nor what a budget ever admits.
              for (const [name, total] of used) {
                const [bucket, key] = name.split(' ')
                const { points } = LIMITS[bucket as 'message' | 'handshake']
                const now = await limiter.peek(bucket ?? '', `${key}-${run}`)
                if (total < points) expect(now).toEqual({ allowed: true, remaining: points - total })
                else expectRefused(now, 60_000)
              }
              if (round.length > 1) continue
              const [asked] = round
              const [outcome] = outcomes
              if (!asked || !outcome) continue
              const total = used.get(`${asked.bucket} ${asked.key}`) ?? 0
              const { points } = LIMITS[asked.bucket as 'message' | 'handshake']
              const allowed = asked.points === 0 ? total < points : total <= points
              if (allowed) expect(outcome).toEqual({ allowed: true, remaining: points - total })
              else expectRefused(outcome, 60_000)
            }
          },
        ),
        { numRuns: 60 },
      )
    })

    it('begins anew when the store has lost everything', async () => {
      const { limiter, empty } = await start()
      for (let i = 0; i < 6; i += 1) await limiter.consume('message', 'user')
      await empty()
      expect(await limiter.consume('message', 'user')).toEqual({ allowed: true, remaining: 4 })
    })
  })
}

function expectRefused(outcome: Consumed, perMs: number): void {
  expect(outcome.allowed).toBe(false)
  if (outcome.allowed) return
  expect(outcome.retryAfterMs).toBeGreaterThan(0)
  expect(outcome.retryAfterMs).toBeLessThanOrEqual(perMs)
}
