import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ConfigError,
  clockScale,
  codec,
  encryptionKeys,
  group,
  hashKey,
  jwt,
  limits,
  listen,
  llmTimeouts,
  loadConfig,
  logConfigWarnings,
  logLevel,
  opsPort,
  publicUrl,
  type Setting,
  setting,
  shutdownTimeout,
  webSocketOrigins,
} from '../../src/index.ts'
import { key32, readableLogger, STRONG_SECRET } from '../support.ts'

const everything = group({
  listen: listen({ port: 8080 }),
  opsPort: opsPort(),
  publicUrl: publicUrl(),
  jwt: jwt(),
  encryption: encryptionKeys(),
  hashKey: hashKey(),
  origins: webSocketOrigins(),
  llm: llmTimeouts(),
  limits: limits(),
  logLevel: logLevel(),
  shutdown: shutdownTimeout(),
  clockScale: clockScale(),
})

const enough = { JWT_SECRET: STRONG_SECRET, ENCRYPTION_KEY: key32(1).toString('base64') }

function faultsOf(
  setting: Setting<unknown>,
  env: Record<string, string>,
  files: Record<string, string> = {},
): string[] {
  const readFile = (path: string) => {
    const content = files[path]
    if (content === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    return content
  }
  try {
    loadConfig(setting, env, { readFile })
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  return []
}

describe('a configuration', () => {
  it('has defaults for all that is neither secret nor particular to a place', () => {
    const { config, warnings } = loadConfig(everything, enough)
    expect(config).toMatchObject({
      listen: { host: '127.0.0.1', port: 8080 },
      opsPort: undefined,
      jwt: { secret: STRONG_SECRET, jwksUrl: undefined, audience: [] },
      encryption: { keys: [{ id: 'k1', key: key32(1) }] },
      origins: { allowed: [], check: true },
      limits: {
        text: 10_000,
        metadataValue: 1000,
        fileId: 255,
        url: 2048,
        modelId: 100,
        sessionId: 128,
        frame: 65_536,
      },
      logLevel: 'info',
      shutdown: 25_000,
      clockScale: 1,
    })
    expect(warnings).toEqual([])
  })

  it('tells all faults at once, each under the name of its variable', () => {
    const faults = faultsOf(everything, {
      PORT: 'eighty',
      OPS_PORT: '70000',
      PUBLIC_URL: 'ftp://example.com',
      HASH_KEY: 'short',
      WS_ALLOWED_ORIGINS: 'https://a.example, https://b.example/path, *',
      LLM_IDLE_TIMEOUT: '30',
      MAX_FRAME_SIZE: '10000',
      LOG_LEVEL: 'loud',
    })
    expect(faults.map((line) => line.split(':')[0])).toEqual([
      'PORT',
      'OPS_PORT',
      'PUBLIC_URL',
      'JWT_SECRET',
      'ENCRYPTION_KEY',
      'HASH_KEY',
      'WS_ALLOWED_ORIGINS',
      'WS_ALLOWED_ORIGINS',
      'LLM_IDLE_TIMEOUT',
      'MAX_FRAME_SIZE',
      'LOG_LEVEL',
    ])
    expect(faults[0]).toBe('PORT: must be a whole number from 0 to 65535')
    expect(faults[3]).toMatch(/^JWT_SECRET: is missing, and so is JWT_JWKS_URL; one is needed/)
    expect(faults[6]).toMatch(/^WS_ALLOWED_ORIGINS: entry 2 must be an origin/)
    expect(faults[7]).toMatch(/^WS_ALLOWED_ORIGINS: entry 3 must be an origin/)
  })

  it('never repeats a value in a fault, whatever stands in whichever variable', () => {
    const names = everything.docs.map(({ name }) => name)
    const env = fc.dictionary(fc.constantFrom(...names), fc.string({ minLength: 9, unit: 'grapheme' }))
    fc.assert(
      fc.property(env, (values) => {
        const text = faultsOf(everything, values).join('\n')
        for (const value of Object.values(values)) {
          if (value.trim().length >= 9) expect(text).not.toContain(value.trim())
        }
      }),
    )
  })

  it('is a fault or has bounds: no text makes a port, a size or a duration out of range', () => {
    const parts = group({
      port: setting('A', codec.port, { about: 'a' }),
      size: setting('B', codec.size({ min: 5, max: 5000 }), { about: 'b' }),
      duration: setting('C', codec.duration({ min: 10, max: 60_000 }), { about: 'c' }),
    })
    const number = fc.oneof(fc.integer().map(String), fc.double().map(String), fc.string(), fc.bigInt().map(String))
    const unit = fc.constantFrom('', 'ms', 's', 'm', 'h', 'd', 'KiB', 'MB', 'b')
    const raw = fc.tuple(number, unit).map(([digits, ending]) => digits + ending)
    fc.assert(
      fc.property(raw, raw, raw, (A, B, C) => {
        if (faultsOf(parts, { A, B, C }).length > 0) return
        const { config } = loadConfig(parts, { A, B, C })
        expect(Number.isInteger(config.port) && config.port >= 1 && config.port <= 65_535).toBe(true)
        expect(config.size >= 5 && config.size <= 5000).toBe(true)
        expect(config.duration >= 10 && config.duration <= 60_000).toBe(true)
      }),
    )
  })

  it('takes a blank variable for one that is not set', () => {
    expect(loadConfig(everything, { ...enough, PORT: ' ', LOG_LEVEL: '' }).config).toMatchObject({
      listen: { port: 8080 },
      logLevel: 'info',
    })
    expect(faultsOf(everything, { ...enough, JWT_SECRET: '   ' })).toHaveLength(1)
  })

  it('can be described for the docs without being loaded', () => {
    const jwtSecret = everything.docs.find(({ name }) => name === 'JWT_SECRET')
    expect(jwtSecret).toMatchObject({ secret: true, required: false })
    expect(everything.docs.find(({ name }) => name === 'SHUTDOWN_TIMEOUT')).toMatchObject({ default: '25s' })
    expect(everything.docs.every(({ about }) => about.endsWith('.'))).toBe(true)
  })
})

describe('a secret from a file', () => {
  const files = { '/run/jwt': `${STRONG_SECRET}\n`, '/run/crlf': `${STRONG_SECRET}\r\n`, '/run/empty': '\n' }
  const { JWT_SECRET: _, ...rest } = enough

  it.each(['/run/jwt', '/run/crlf'])('is read without its last line break (%s)', (path) => {
    const readFile = (name: string) => files[name as keyof typeof files]
    expect(loadConfig(everything, { ...rest, JWT_SECRET_FILE: path }, { readFile }).config.jwt.secret).toBe(
      STRONG_SECRET,
    )
  })

  it.each([
    ['/run/absent', 'JWT_SECRET_FILE: names a file that cannot be read (ENOENT)'],
    ['/run/empty', 'JWT_SECRET_FILE: names a file that is empty'],
  ])('that gives nothing is a fault (%s)', (path, fault) => {
    expect(faultsOf(everything, { ...rest, JWT_SECRET_FILE: path }, files)).toContain(fault)
  })

  it('is a fault together with the variable itself', () => {
    expect(faultsOf(everything, { ...enough, JWT_SECRET_FILE: '/run/jwt' }, files)).toEqual([
      'JWT_SECRET: is set together with JWT_SECRET_FILE; keep one of the two',
    ])
  })

  it('works for every secret, and for nothing else', () => {
    const secret = { '/run/key': `${key32(3).toString('base64')}\n` }
    expect(
      faultsOf(
        everything,
        { JWT_SECRET: STRONG_SECRET, ENCRYPTION_KEY_FILE: '/run/key', HASH_KEY_FILE: '/run/key' },
        secret,
      ),
    ).toEqual([])
    expect(loadConfig(everything, { ...enough, PORT_FILE: '/run/port' }).config.listen.port).toBe(8080)
  })
})

describe('the origin check', () => {
  it('cannot be turned off in production', () => {
    const faults = faultsOf(everything, { ...enough, NODE_ENV: 'production', WS_ORIGIN_CHECK: 'off' })
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(/^WS_ORIGIN_CHECK: cannot be off with NODE_ENV=production/)
  })

  it('can be turned off elsewhere, which is logged as a warning', () => {
    const { config, warnings } = loadConfig(everything, { ...enough, WS_ORIGIN_CHECK: 'off' })
    const log = readableLogger()
    logConfigWarnings(log.logger, warnings)
    expect(config.origins.check).toBe(false)
    expect(log.lines()).toMatchObject([{ level: 'warn', setting: 'WS_ORIGIN_CHECK' }])
  })
})
