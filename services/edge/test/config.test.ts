import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseRedisUrl } from '@chatbox/distributed'
import { configFromCommandLine, type SettingDoc } from '@chatbox/runtime'
import { settingsSaidOf } from '@chatbox/testkit/settings-table'
import { describe, expect, it } from 'vitest'
import { edgeConfig } from '../src/config.ts'

const enough = {
  JWT_SECRET: randomBytes(48).toString('base64'),
  ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  HASH_KEY: randomBytes(32).toString('base64'),
  REDIS_URL: 'redis://edge:canary-password@redis.example.com:6379/0', // not a secret
}

function check(env: NodeJS.ProcessEnv, files: Record<string, string> = {}) {
  const lines: string[] = []
  const out = { write: (text: string) => lines.push(text) }
  const readFile = (path: string) => files[path] ?? ''
  const result = configFromCommandLine(edgeConfig(parseRedisUrl), {
    argv: ['--check-config'],
    env,
    stdout: out,
    stderr: out,
    readFile,
  })
  return { result, text: lines.join('') }
}

describe('the configuration of an edge of its own', () => {
  it('is complete with keys, a way to know tokens, and a Redis', () => {
    expect(check({ ...enough, PUBLIC_URL: 'https://chat.example.com' })).toEqual({
      result: { exitCode: 0 },
      text: 'configuration ok\n',
    })
  })

  it.each([
    [{}, 'warning: WS_ALLOWED_ORIGINS: is empty, and so is PUBLIC_URL: no page can open a socket'],
    [{ WS_ALLOWED_ORIGINS: 'https://www.example.com' }, ''],
    [{ WS_ORIGIN_CHECK: 'off' }, 'warning: WS_ORIGIN_CHECK: is off'],
    [{ SHUTDOWN_TIMEOUT: '13s', PUBLIC_URL: 'https://chat.example.com' }, 'warning: SHUTDOWN_TIMEOUT: leaves no time'],
    [{ SHUTDOWN_TIMEOUT: '14s', PUBLIC_URL: 'https://chat.example.com' }, ''],
  ])('says what will surprise whoever set %j', (more, warning) => {
    const { result, text } = check({ ...enough, ...more })
    expect(result).toEqual({ exitCode: 0 })
    if (warning === '') expect(text).toBe('configuration ok\n')
    else expect(text).toContain(warning)
  })

  it.each([
    [{ PORT: '9090' }, 'OPS_PORT: is the same as PORT'],
    [{ PORT: '8080', OPS_PORT: '8080' }, 'OPS_PORT: is the same as PORT'],
    [{ MAX_MODEL_ID_SIZE: '3' }, 'MODELS: names a model whose id is longer than MAX_MODEL_ID_SIZE'],
  ])('is refused where settings do not go together: %j', (more, fault) => {
    const { result, text } = check({ ...enough, ...more })
    expect(result).toEqual({ exitCode: 1 })
    expect(text).toContain(fault)
  })

  it('may leave both ports to the system', () => {
    expect(check({ ...enough, PORT: '0', OPS_PORT: '0' }).result).toEqual({ exitCode: 0 })
  })

  it.each(Object.keys(enough))('is refused without %s, by name', (name) => {
    const { result, text } = check({ ...enough, [name]: undefined })
    expect(result).toEqual({ exitCode: 1 })
    expect(text).toContain(name === 'REDIS_URL' ? 'REDIS_REALTIME_URL: is missing' : `${name}: is missing`)
  })

  it.each([
    'localhost:6379',
    'http://localhost:6379',
    'redis:/localhost',
    'redis+other://localhost',
    'redis://with a blank',
    'redis://one,two',
    'redis://localhost:65536',
    'redis://localhost/first',
    'redis+sentinel://localhost:26379',
    'redis+cluster://one,two/1',
    'redis://edge:%zz@localhost', // not a secret
  ])('takes no %s for an address of Redis, and does not repeat it', (url) => {
    const { result, text } = check({ ...enough, REDIS_URL: url })
    expect(result).toEqual({ exitCode: 1 })
    expect(text).toContain('REDIS_URL')
    expect(text).not.toContain(url)
  })

  it.each([
    'redis://localhost',
    'rediss://user:password@redis.example.com:6380/1', // not a secret
    'redis+sentinel://one:26379,two:26379/main/0',
    'redis+cluster://one:7000,two:7000',
  ])('takes %s, also from a file', (url) => {
    const { REDIS_URL: _, ...others } = enough
    expect(check({ ...others, REDIS_URL: url }).result).toEqual({ exitCode: 0 })
    expect(check({ ...others, REDIS_URL_FILE: '/run/url' }, { '/run/url': `${url}\n` }).result).toEqual({ exitCode: 0 })
    expect(check({ ...others, REDIS_REALTIME_URL: url, REDIS_QUEUE_URL: url }).result).toEqual({ exitCode: 0 })
  })

  it('says who one is to the sentinels, the password from a file too, and what is in front of every key', () => {
    const login = { REDIS_SENTINEL_USERNAME: 'edge', REDIS_SENTINEL_PASSWORD_FILE: '/run/sentinel' }
    const options = { argv: [], readFile: () => 'of the sentinels\n' }
    const given = configFromCommandLine(edgeConfig(parseRedisUrl), {
      ...options,
      env: { ...enough, ...login, REDIS_PREFIX: 'a.b-c_1' },
    })
    const sentinel = { username: 'edge', password: 'of the sentinels' }
    expect(given).toMatchObject({ config: { redis: { sentinel, prefix: 'a.b-c_1' } } })
    const plain = configFromCommandLine(edgeConfig(parseRedisUrl), { ...options, env: enough })
    expect(plain).toMatchObject({ config: { redis: { sentinel: {}, prefix: 'chatbox' } } })
  })

  it.each(['{tag}', 'a:b', 'with blank', 'a*', 'é', 'x'.repeat(65)])('takes no %s in front of keys', (prefix) => {
    const { result, text } = check({ ...enough, REDIS_PREFIX: prefix })
    expect(result).toEqual({ exitCode: 1 })
    expect(text).toContain('REDIS_PREFIX: must be 1 to 64')
  })

  it('says no secret, whatever is wrong', () => {
    const { text } = check({
      ...enough,
      REDIS_SENTINEL_PASSWORD: 'sentinel-canary',
      HANDSHAKES_PER_SECOND: '0',
      OPS_PORT: 'no',
      REDIS_QUEUE_URL: 'nonsense-canary',
    })
    expect(text).toContain('HANDSHAKES_PER_SECOND')
    for (const secret of [...Object.values(enough), 'canary-password', 'nonsense-canary', 'sentinel-canary'])
      expect(text).not.toContain(secret)
  })

  it('is documented setting by setting', () => {
    const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8')
    const [embedded = '', own = ''] = page.split('\n## An edge of its own\n')
    const rows = (text: string) => text.split('\n').filter((line) => line.startsWith('| `'))
    const shared = new Set(rows(embedded))
    expect(rows(own.split('\n## ')[0] ?? '')).toEqual(
      edgeConfig(parseRedisUrl)
        .docs.map(rowOf)
        .filter((row) => !shared.has(row)),
    )
  })
})

const rowOf = ({ name, about, default: fallback, secret }: SettingDoc): string =>
  `| \`${name}\`${secret ? ` or \`${name}_FILE\`` : ''} | ${fallback ? `\`${fallback}\`` : ''} | ${about} |`

it('docs/configuration.md says which settings an edge reads', () =>
  expect(settingsSaidOf('edge')).toEqual(
    edgeConfig(parseRedisUrl)
      .docs.map(({ name }) => name)
      .sort(),
  ))
