import { describe, expect, it } from 'vitest'
import { codec, group, loadConfig, modelSpecs, setting } from '../../src/index.ts'

const settings = group({
  days: setting('RETENTION_DAYS', codec.integer(), { about: 'Days.', default: '0' }),
  level: setting('LOG_LEVEL', codec.text, { about: 'Level.', optional: true }),
  secret: setting('JWT_SECRET', codec.text, { about: 'Secret.', optional: true, secret: true }),
  port: setting('PORT', codec.integer(), { about: 'Port.', default: '1' }),
})

const toldOf = (env: Record<string, string>) => loadConfig(settings, env).warnings.map(({ name }) => name)

describe('a variable that is nearly called like a setting', () => {
  it.each([
    ['a letter left out', 'RETENTION_DAY', 'RETENTION_DAYS'],
    ['two letters in the other order', 'RETENTOIN_DAYS', 'RETENTION_DAYS'],
    ['a letter too many', 'LOGS_LEVEL', 'LOG_LEVEL'],
    ['small letters', 'log_level', 'LOG_LEVEL'],
    ['another line between the words', 'LOG-LEVEL', 'LOG_LEVEL'],
    ['the name of a file', 'JWT_SECRETS_FILE', 'JWT_SECRET_FILE'],
  ])('is told, with what may be meant, and without its value: %s', (_, name, meant) => {
    const { warnings } = loadConfig(settings, { [name]: 'canary' })
    expect(warnings).toEqual([{ name, sentence: `is no setting of this program; is ${meant} meant?` }])
  })

  it('is told beside the faults, which it may be the reason of', () => {
    const required = setting('REDIS_QUEUE_URL', codec.text, { about: 'Redis.' })
    expect(() => loadConfig(required, { REDIS_QUEU_URL: 'redis://localhost' })).toThrow(
      /^REDIS_QUEUE_URL: is missing\nREDIS_QUEU_URL: .* is REDIS_QUEUE_URL meant\?$/,
    )
  })

  it('is not told where the setting itself is set, because it is something else then', () =>
    expect(toldOf({ RETENTION_DAYS: '3', RETENTION_DAYS2: '4' })).toEqual([]))

  it('is not told where it is only somewhat alike, or the name is short', () =>
    expect(toldOf({ RETENTION: '3', POST: '1', PORTS: '2', SECRET: 'x', LC_LEVELS: 'x' })).toEqual([]))

  it('is not told where it is read, as a key of a model', () => {
    const model = {
      provider: 'openai',
      id: 'o',
      label: 'O',
      model: 'm',
      key: 'OPENAI2_API_KEY',
      baseUrl: 'https://a.de',
    }
    const env = { MODELS: JSON.stringify([model]), OPENAI2_API_KEY: 'sk-1' }
    expect(loadConfig(modelSpecs({ presets: false }), env).warnings).toEqual([])
  })
})
