import type { EventHeader } from '@chatbox/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { endAad, entryAad, eventAad, outcomeAad, replyAad, sessionAad, turnAad } from '../src/aad.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** Short, and made of what the encoding itself is made of, so that a sloppy encoding would collide. */
const word = fc.string({ unit: fc.constantFrom('-', ':', '1', '2', 'a', '\ud800', '\ufffd'), maxLength: 4 })
const number = fc.nat({ max: 12 })
const origin = fc.record({ connectionId: word, requestId: word })
const header = fc.record(
  {
    class: fc.constantFrom('logged', 'delta', 'signal'),
    type: fc.constantFrom('message', 'typing'),
    sid: word,
    answerId: word,
    attempt: number,
    index: number,
    epoch: number,
    origin,
    except: word,
  },
  { requiredKeys: ['class', 'type'] },
) as fc.Arbitrary<EventHeader>

describe('additional data', () => {
  it('is the same for two headers exactly when they say the same', () => {
    const canonical = (name: string, h: EventHeader) =>
      JSON.stringify([
        name,
        h.class,
        h.type,
        h.sid ?? null,
        h.answerId ?? null,
        h.attempt ?? null,
        h.index ?? null,
        h.epoch ?? null,
        h.origin?.connectionId ?? null,
        h.origin?.requestId ?? null,
        h.except ?? null,
      ])
    fc.assert(
      fc.property(word, header, word, header, (name, one, other, two) => {
        const same = canonical(name, one) === canonical(other, two)
        expect(hex(eventAad(name, one)) === hex(eventAad(other, two))).toBe(same)
      }),
      { numRuns: 3_000 },
    )
  })

  it('does not depend on the order in which a header was written', () => {
    fc.assert(
      fc.property(word, header, (name, one) => {
        const turned = Object.fromEntries(Object.entries(one).reverse()) as unknown as EventHeader
        expect(hex(eventAad(name, turned))).toBe(hex(eventAad(name, one)))
      }),
    )
  })

  it('changes with each field of each header', () => {
    const event = {
      class: 'logged',
      type: 'message',
      sid: 's',
      answerId: 'a',
      attempt: 1,
      index: 2,
      epoch: 3,
      origin: { connectionId: 'c', requestId: 'r' },
      except: 'x',
    }
    const cases: [object, (h: never) => Uint8Array][] = [
      [event, (h) => eventAad('u', h)],
      [event.origin, (h) => eventAad('u', { ...event, origin: h } as never)],
      [{ target: 'c', type: 'error', requestId: 'r', close: 'idle' }, (h) => replyAad('e', h)],
      [{ answerId: 'a', attempt: 1, class: 'end' }, (h) => endAad('u', h)],
      [{ requestId: 'r', kind: 'send' }, (h) => entryAad('7', h)],
      [{ requestId: 'r', class: 'outcome' }, (h) => outcomeAad('', h)],
    ]
    for (const [given, encode] of cases) {
      for (const [field, value] of Object.entries(given)) {
        if (field === 'origin') continue
        const changed = { ...given, [field]: typeof value === 'number' ? value + 1 : `${value}!` }
        expect(hex(encode(changed as never)), field).not.toBe(hex(encode(given as never)))
      }
    }
  })

  it('is never the same in two domains', () => {
    const all = [
      eventAad('n', { class: 'logged', type: 'message' }),
      endAad('n', { answerId: 'a', attempt: 1, class: 'end' } as never),
      replyAad('n', { target: 'a' } as never),
      entryAad('n', { requestId: 'a', kind: 'outcome' } as never),
      outcomeAad('n', { requestId: 'a', class: 'outcome' } as never),
      sessionAad('n', 'nm'),
      sessionAad('n', 'assistingAdminName'),
      sessionAad('n', 'key'),
      turnAad('n', 1, 'content'),
      turnAad('n', 2, 'content'),
      turnAad('n', '1', 'text'),
      turnAad('m', 1, 'content'),
    ]
    expect(new Set(all.map(hex)).size).toBe(all.length)
  })
})
