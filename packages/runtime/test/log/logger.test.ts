import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLogger } from '../../src/index.ts'
import { readableLogger, STRONG_SECRET } from '../support.ts'

const CANARY = 'canary-7f3e9b1c'
const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl'

describe('a log line', () => {
  it('is one JSON object with level, time, service, fields and sentence', () => {
    const log = readableLogger()
    log.logger.child({ connectionId: 'c1' }).warn({ sessionId: 's1', bytes: 12 }, 'frame refused')
    expect(log.lines()).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        service: 'test',
        connectionId: 'c1',
        sessionId: 's1',
        bytes: 12,
        msg: 'frame refused',
      },
    ])
  })

  it('is left out below LOG_LEVEL', () => {
    const log = readableLogger('warn')
    log.logger.info('quiet')
    log.logger.child({}).debug('quiet')
    log.logger.error('loud')
    expect(log.messages()).toEqual(['loud'])
  })

  it('stays one line whatever a value holds: CR, LF, ANSI, C1 controls, line separators', () => {
    const nasty = 'a\r\nb\n{"level":"fatal"}\u001b[31mred\u009b2J\u0085\u2028\u2029\u0000\u007f'
    const log = readableLogger()
    log.logger.child({ bound: nasty }).info({ value: nasty, [nasty]: 1 }, nasty)
    expect(log.raw).toHaveLength(1)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what must not be there
    expect(log.raw[0]?.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
    expect(log.lines()[0]).toMatchObject({ bound: nasty, value: nasty, [nasty]: 1, msg: nasty })
  })

  it('is one line of JSON for any fields at all', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.anything({ withBigInt: true, withDate: true, withMap: true })),
        fc.string(),
        (fields, text) => {
          const log = readableLogger()
          log.logger.info(fields, text)
          expect(log.raw).toHaveLength(1)
          expect(log.raw[0]?.indexOf('\n')).toBe((log.raw[0]?.length ?? 0) - 1)
          expect(log.lines()[0]).toHaveProperty('msg')
        },
      ),
    )
  })

  it('has a bounded size, however large, deep or circular its fields are', () => {
    const circular: Record<string, unknown> = {}
    circular.self = circular
    const wide = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${i}`, circular]))
    let deep: unknown = 'x'
    for (let i = 0; i < 10_000; i++) deep = { deep }
    const log = readableLogger()
    log.logger.info({ circular, wide, deep, list: Array(100_000).fill(wide), long: 'y'.repeat(1_000_000) }, 'large')
    expect(log.raw[0]?.length).toBeLessThan(100_000)
    expect(log.raw[0]?.match(/"deep":/g)?.length).toBeLessThan(10)
  })

  it('goes to standard output unless told otherwise', () => {
    expect(() => createLogger({ service: 'test', level: 'silent' }).info('nothing')).not.toThrow()
  })
})

describe('secrets and content', () => {
  it.each([
    ['token', { token: CANARY }],
    ['authorization header', { headers: { authorization: CANARY } }],
    ['Authorization in capitals', { request: { raw: { Authorization: CANARY } } }],
    ['names with _ and -', { api_key: CANARY, 'set-cookie': [CANARY], refresh_token: CANARY, clientSecret: CANARY }],
    ['a secret deep inside', { a: { b: [{ c: { jwtSecret: CANARY } }] } }],
    ['keys as bytes', { keys: [Buffer.from(CANARY)], other: Buffer.from(CANARY) }],
    ['message text', { message: { id: 'm1', text: CANARY } }],
    ['a frame', { frame: { type: 'message.send', text: CANARY } }],
    [
      'a body',
      {
        body: CANARY,
        payload: { x: CANARY },
        prompt: [CANARY],
        delta: CANARY,
        content: CANARY,
        metadata: { a: CANARY },
      },
    ],
    [
      'names of people and sessions',
      { identity: { userId: 'u1', name: CANARY }, session: { nm: CANARY }, adminName: CANARY },
    ],
    ['a connection string', { url: new URL(`redis://user:${CANARY}@redis:6379/0?token=${CANARY}`) }],
    ['a connection string as text', { target: `mongodb://user:${CANARY}@mongo/db` }],
    ['maps and sets', { map: new Map([[CANARY, CANARY]]), set: new Set([CANARY]) }],
  ])('are not in a line, nor bound to a child: %s', (_, fields) => {
    const log = readableLogger()
    log.logger.info(fields, 'said')
    log.logger.child(fields).info('bound')
    log.logger.child({}).child(fields).info({ more: fields }, 'both')
    expect(log.raw).toHaveLength(3)
    expect(log.raw.join('')).not.toContain(CANARY)
  })

  it.each([
    ['in the sentence', (logger: ReturnType<typeof createLogger>) => logger.info(`upgrade with ${TOKEN}`)],
    [
      'under an innocent name',
      (logger: ReturnType<typeof createLogger>) => logger.info({ path: `/chat/ws?t=${TOKEN}` }, 'said'),
    ],
    [
      'as a bearer',
      (logger: ReturnType<typeof createLogger>) => logger.info({ line: `Bearer ${STRONG_SECRET}` }, 'said'),
    ],
    [
      'in an error',
      (logger: ReturnType<typeof createLogger>) => logger.error({ err: new Error(`bad ${TOKEN}`) }, 'failed'),
    ],
  ])('are known by their shape: %s', (_, say) => {
    const log = readableLogger()
    say(log.logger)
    expect(log.raw.join('')).not.toContain(TOKEN)
    expect(log.raw.join('')).not.toContain(STRONG_SECRET)
    expect(log.raw.join('')).toContain('[redacted]')
    expect(log.lines()).toHaveLength(1)
  })

  it('leave counts and flags of the same name readable', () => {
    const log = readableLogger()
    log.logger.info({ firstToken: 120, text: 44, key: true, totalTokens: 9 }, 'counted')
    expect(log.lines()[0]).toMatchObject({ firstToken: 120, text: 44, key: true, totalTokens: 9 })
  })
})
