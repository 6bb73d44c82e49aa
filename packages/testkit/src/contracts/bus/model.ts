import type { Bus, Position } from '@chatbox/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Build, opener } from '../adapter.ts'
import { logged, someUser, texts } from '../samples.ts'

const LOG_EVENTS = 8

type Step =
  | { readonly kind: 'append'; readonly gen: number }
  | { readonly kind: 'read'; readonly of: number }
  | { readonly kind: 'beyond'; readonly by: number }
  | { readonly kind: 'forget' }
  | { readonly kind: 'empty' }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('append' as const), gen: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('read' as const), of: fc.nat(1_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('beyond' as const), by: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'forget' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'empty' as const }) },
)

/** What a log is, told simply: a list, and every position that was ever handed out with the life it belongs to. */
function model() {
  let bodies: string[] = []
  let gen = 0
  let life = 0
  let base: Position | undefined
  const handedOut: { readonly position: Position; readonly life: number; readonly index: number }[] = []
  return {
    start(top: Position) {
      base = top
      handedOut.push({ position: top, life, index: 0 })
    },
    accepts: (candidate: number) => candidate >= gen,
    append(body: string, candidate: number, position: Position) {
      gen = candidate
      bodies.push(body)
      expect(position).toEqual({ ...base, offset: (base?.offset ?? 0) + bodies.length })
      handedOut.push({ position, life, index: bodies.length })
    },
    forget() {
      bodies = []
      life += 1
    },
    empty() {
      bodies = []
      gen = 0
      life += 1
    },
    pick: (n: number) => handedOut[n % handedOut.length],
    isCurrent: (of: number) => of === life,
    after: (index: number) => bodies.slice(index),
    get top(): Position {
      if (!base) throw new Error('not started')
      return { ...base, offset: base.offset + bodies.length }
    },
  }
}

async function check(bus: Bus, empty: () => Promise<void>, steps: readonly Step[]): Promise<void> {
  const uid = someUser()
  const expected = model()
  expected.start(await bus.top(uid))
  for (const [i, each] of steps.entries()) {
    if (each.kind === 'empty') {
      await empty()
      expected.empty()
      expected.start(await bus.top(uid))
    } else if (each.kind === 'forget') {
      await bus.forget(uid)
      expected.forget()
      expected.start(await bus.top(uid))
    } else if (each.kind === 'append') {
      const appended = await bus.append(uid, logged(`event ${i}`), each.gen)
      expect(appended.kind).toBe(expected.accepts(each.gen) ? 'appended' : 'stale')
      if (appended.kind === 'appended') expected.append(`event ${i}`, each.gen, appended.position)
    } else if (each.kind === 'beyond') {
      const beyond = { ...expected.top, offset: expected.top.offset + each.by }
      expect(await bus.read(uid, beyond)).toEqual({ kind: 'lost', top: expected.top })
    } else {
      const from = expected.pick(each.of)
      if (!from) continue
      const read = await bus.read(uid, from.position)
      expect(read.top).toEqual(expected.top)
      if (!expected.isCurrent(from.life)) expect(read.kind).toBe('lost')
      // A log may keep more than its bound, but what it gives is all there was.
      else if (expected.after(from.index).length <= LOG_EVENTS) expect(read.kind).toBe('events')
      if (read.kind === 'lost') continue
      expect(texts(read.events.map(({ packet }) => packet))).toEqual(expected.after(from.index))
      const offsets = read.events.map(({ position }) => position.offset - from.position.offset)
      expect(offsets).toEqual(read.events.map((_, n) => n + 1))
    }
  }
}

export function busModelContract(build: Build<'bus'>): void {
  describe('model', () => {
    const open = opener(build)

    it('reading after any position gives exactly what followed, or says that it is lost (P4)', async () => {
      const { bus, empty, emptiesSlowly } = await open({ logEvents: LOG_EVENTS })
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), (steps) => check(bus, empty, steps)),
        { numRuns: emptiesSlowly ? 6 : 60 },
      )
    })
  })
}
