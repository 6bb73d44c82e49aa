import { answerId, connectionId, type EventHeader, requestId, sessionId } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { endAad, entryAad, eventAad, outcomeAad, replyAad, sessionAad, turnAad } from '../src/aad.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

const full: EventHeader = {
  class: 'logged',
  type: 'message',
  sid: sessionId('s'),
  answerId: answerId('a'),
  attempt: 1,
  index: 2,
  epoch: 3,
  origin: { connectionId: connectionId('c'), requestId: requestId('r') },
  except: connectionId('x'),
}

describe('additional data', () => {
  it('is another for each place, however the parts are cut', () => {
    // Made of what the encoding itself is made of, so that a sloppy one would take one place for another.
    const words = [undefined, '', 'a', 'aa', '-', '1:a', '1:', '\ud800', '\ufffd']
    const numbers = [undefined, 1, 11]
    const seen = new Set<string>()
    let places = 0
    for (const name of words.filter((word) => word !== undefined)) {
      for (const sid of words) {
        for (const answer of words) {
          for (const attempt of numbers) {
            for (const index of numbers) {
              places += 1
              const header = {
                class: 'logged',
                type: 'message',
                ...(sid !== undefined && { sid: sessionId(sid) }),
                ...(answer !== undefined && { answerId: answerId(answer) }),
                ...(attempt !== undefined && { attempt }),
                ...(index !== undefined && { index }),
              } as const
              seen.add(hex(eventAad(name, header)))
            }
          }
        }
      }
    }
    expect(seen.size).toBe(places)
  })

  it('does not depend on the order in which a header was written', () => {
    const turned = Object.fromEntries(Object.entries(full).reverse()) as unknown as EventHeader
    expect(hex(eventAad('u', turned))).toBe(hex(eventAad('u', full)))
  })

  it('changes with each field of each header', () => {
    const cases: [object, (h: never) => Uint8Array][] = [
      [full, (h) => eventAad('u', h)],
      [full.origin ?? {}, (h) => eventAad('u', { ...full, origin: h })],
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
