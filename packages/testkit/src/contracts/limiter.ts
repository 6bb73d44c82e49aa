import { setTimeout as delay } from 'node:timers/promises'
import type { Consumed } from '@chatbox/core'
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
