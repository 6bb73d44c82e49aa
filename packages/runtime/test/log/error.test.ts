import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { logError } from '../../src/index.ts'
import { readableLogger } from '../support.ts'

const CANARY = 'canary-7f3e9b1c'

function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

describe('an error in the log', () => {
  it('has name, code, message, places and the codes of its causes', () => {
    const cause = Object.assign(new Error('socket'), { code: 'ECONNRESET' })
    const error = Object.assign(new TypeError('no answer', { cause: new Error('retry', { cause }) }), {
      code: 'unavailable',
    })
    const log = readableLogger()
    log.logger.error({ err: error }, 'failed')
    expect(log.lines()[0]).toMatchObject({
      err: {
        name: 'TypeError',
        code: 'unavailable',
        message: 'no answer',
        stack: expect.stringMatching(/^ {4}at .*error\.test\.ts/),
        causes: ['Error', 'Error ECONNRESET'],
      },
    })
  })

  it('has nothing else: no property, no text of a cause', () => {
    const cause = Object.assign(new Error(CANARY), { code: 'E1', body: CANARY })
    const error = Object.assign(new Error('short', { cause }), {
      command: { args: [CANARY] },
      payload: { text: CANARY },
    })
    const log = readableLogger()
    log.logger.error({ err: error }, 'failed')
    log.logger.error({ somethingElse: { nested: [error] } }, 'failed')
    log.logger.child({ err: error }).error('failed')
    expect(log.raw.join('')).not.toContain(CANARY)
  })

  it.each([
    ['JSON.parse', () => JSON.parse(`{"a": ${CANARY}`)],
    ['a schema with unknown keys', () => z.strictObject({ a: z.string() }).parse({ a: 1, [CANARY]: 1 })],
    ['a schema with a value', () => z.literal('a').parse(CANARY)],
    ['decodeURIComponent', () => decodeURIComponent(`%${CANARY}`)],
    [
      'a duplicate key of MongoDB',
      () => {
        throw Object.assign(
          new Error(`E11000 duplicate key error collection: c index: i dup key: { nm: "${CANARY}\n" }`),
          { code: 11000 },
        )
      },
    ],
  ])('does not quote the input that %s complains of', (_, work) => {
    const logged = JSON.stringify(logError(thrownBy(work)))
    expect(logged).not.toContain(CANARY)
    expect(logged).toContain('    at ')
  })

  it('may be something that is no Error', () => {
    expect(logError(CANARY)).toEqual({ name: 'string', message: 'something that is no Error was thrown' })
    expect(logError(undefined)).toMatchObject({ name: 'undefined' })
  })

  it('tells the codes of several errors in one', () => {
    const error = new AggregateError([Object.assign(new Error(CANARY), { code: 'ECONNREFUSED' }), CANARY])
    expect(logError(error).causes).toEqual(['Error ECONNREFUSED', 'string'])
  })

  it('whose causes form a circle ends', () => {
    const a = new Error('a')
    a.cause = a
    expect(logError(a).causes).toHaveLength(5)
  })

  it('of a library that carries claims shows none of them', async () => {
    const signing = new SignJWT({ name: CANARY }).setProtectedHeader({ alg: 'HS256' }).sign(new Uint8Array(1))
    const error = await signing.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(JSON.stringify(logError(error ?? new Error('signed')))).not.toContain(CANARY)
  })
})
