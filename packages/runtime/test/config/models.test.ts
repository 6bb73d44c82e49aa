import { describe, expect, it } from 'vitest'
import { ConfigError, type Fault, loadConfig, modelSpecs, models } from '../../src/index.ts'

type Env = Record<string, string>

const whole = modelSpecs({ presets: false })
const read = (list: unknown, env: Env = {}, setting = whole) =>
  loadConfig(setting, { MODELS: JSON.stringify(list), ...env }).config

function faults(list: unknown, env: Env = {}): readonly Fault[] {
  try {
    read(list, env)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

const demo = { id: 'd', label: 'D', provider: 'demo' }
const openai = { id: 'o', label: 'O', provider: 'openai', model: 'gpt-4.1' }
const KEY = { OPENAI_API_KEY: 'sk-canary-of-openai' }

describe('MODELS', () => {
  it('says all that there is to say of a model', () => {
    const price = { in: 2, out: 8 }
    const said = { systemPrompt: 'Be kind.', temperature: 0.3, maxTokens: 500, contextTokens: 9_000, price }
    const list = [
      {
        ...openai,
        ...said,
        api: 'responses',
        fallback: 'c',
        key: 'OPENAI_API_KEY',
        baseUrl: 'https://llm.example.com/v1/',
      },
      { id: 'c', label: 'C', default: true, provider: 'anthropic', model: 'claude', key: 'SECOND_API_KEY' },
      { id: 'f', label: 'F', provider: 'dify' },
      { ...demo, pace: 0 },
      { ...openai, id: 'l', baseUrl: 'http://localhost:11434/v1' },
    ]
    const env = { ...KEY, SECOND_API_KEY: 'sk-second', DIFY_API_KEY: 'app-1', DIFY_BASE_URL: 'http://localhost:81/v1' }
    expect(read(list, env)).toEqual({
      models: [
        {
          ...{ id: 'o', label: 'O', provider: 'openai', model: 'gpt-4.1', api: 'responses', fallback: 'c', ...said },
          ...{ baseUrl: 'https://llm.example.com/v1', apiKey: 'sk-canary-of-openai' },
        },
        {
          ...{ id: 'c', label: 'C', provider: 'anthropic', model: 'claude', contextTokens: 16_000 },
          ...{ baseUrl: 'https://api.anthropic.com', apiKey: 'sk-second' },
        },
        {
          ...{ id: 'f', label: 'F', provider: 'dify', contextTokens: 16_000 },
          ...{ baseUrl: 'http://localhost:81/v1', apiKey: 'app-1' },
        },
        { id: 'd', label: 'D', provider: 'demo', pace: 0, contextTokens: 16_000 },
        {
          ...{ id: 'l', label: 'O', provider: 'openai', model: 'gpt-4.1', api: 'chat', contextTokens: 16_000 },
          // Nobody said that the key of OpenAI is for this server too.
          ...{ baseUrl: 'http://localhost:11434/v1', apiKey: '' },
        },
      ],
      defaultId: 'c',
      privateHosts: [],
    })
  })

  it('says how a compatible server wants to be spoken to', () => {
    const spoken = { maxTokensName: 'max_completion_tokens', askUsage: false }
    expect(read([{ ...openai, ...spoken }], KEY)).toMatchObject({ models: [{ provider: 'openai', ...spoken }] })
    expect(faults([{ ...openai, maxTokensName: 'max', askUsage: 'no' }], KEY).map(({ sentence }) => sentence)).toEqual([
      'entry 1: maxTokensName must be max_completion_tokens or max_tokens',
      'entry 1: askUsage must be true or false',
    ])
  })

  it('comes from a file, as its keys do', () => {
    const files: Env = { '/models': JSON.stringify([openai]), '/key': 'sk-from-a-file\n' }
    const { config } = loadConfig(
      whole,
      { MODELS_FILE: '/models', OPENAI_API_KEY_FILE: '/key' },
      { readFile: (path) => files[path] ?? '' },
    )
    expect(config.models).toMatchObject([{ id: 'o', apiKey: 'sk-from-a-file', baseUrl: 'https://api.openai.com/v1' }])
  })

  it('is the demo models when it is not set, whatever keys there are', () => {
    const { config, warnings } = loadConfig(whole, KEY)
    expect(config).toMatchObject({ models: [{ provider: 'demo' }, { provider: 'demo' }], defaultId: 'demo' })
    expect(warnings).toEqual([{ name: 'MODELS', sentence: expect.stringContaining('the built-in demo models answer') }])
  })

  it('tells everything that is wrong with it at once, and what a Dify app decides by itself', () => {
    const DECIDED = 'is decided in the Dify app that the key belongs to, and cannot be set here'
    const list = [
      { ...openai, temperature: 3, maxTokens: 1.5, api: 'other' },
      { ...demo, temperature: 1 },
      { label: '', provider: 'nobody' },
      { provider: 'dify', id: 'x', label: 'X', model: 'm', price: { in: -1 } },
      { provider: 'dify', id: 'y', label: 'Y', systemPrompt: 'Be kind.', temperature: 1, maxTokens: 5, pace: 1 },
      'words',
    ]
    expect(faults(list).map(({ name, sentence }) => `${name}: ${sentence}`)).toEqual([
      'MODELS: entry 1: temperature must be a number from 0 to 2',
      'MODELS: entry 1: maxTokens must be a whole number from 1 to 1000000',
      'MODELS: entry 1: api must be chat or responses',
      'MODELS: entry 2: has fields that its provider does not know: temperature',
      'MODELS: entry 3: must have as its provider openai, anthropic, dify or demo',
      'MODELS: entry 4: price.in must be a number from 0 to 10000',
      'MODELS: entry 4: price.out must be a number from 0 to 10000',
      `MODELS: entry 4: model ${DECIDED}`,
      `MODELS: entry 5: systemPrompt ${DECIDED}`,
      `MODELS: entry 5: temperature ${DECIDED}`,
      `MODELS: entry 5: maxTokens ${DECIDED}`,
      'MODELS: entry 5: has fields that its provider does not know: pace',
      'MODELS: entry 6: must have as its provider openai, anthropic, dify or demo',
    ])
  })

  it.each([
    [[], {}, 'MODELS: must be a JSON list of at least one model'],
    [{ id: 'd' }, {}, 'MODELS: must be a JSON list of at least one model'],
    [[demo, demo], {}, 'MODELS: entry 2: id is that of an earlier entry'],
    [[{ ...demo, fallback: 'd' }], {}, 'MODELS: entry 1: fallback is the model itself'],
    [[{ ...demo, fallback: 'e' }], {}, 'MODELS: entry 1: fallback is the id of no entry'],
    [
      [
        { ...demo, default: true },
        { ...demo, id: 'e', default: true },
      ],
      {},
      'MODELS: more than one entry is the default',
    ],
    [[openai], {}, 'OPENAI_API_KEY: is missing, and entry 1 of MODELS needs it'],
    [[openai], { OPENAI_API_KEY: 'two words' }, 'OPENAI_API_KEY: must be printable characters without blanks'],
    [
      [{ ...openai, key: 'ENCRYPTION_KEY' }],
      {},
      'MODELS: entry 1: key must be the name of a variable that ends in _API_KEY',
    ],
    [
      [{ provider: 'dify', id: 'f', label: 'F', baseUrl: 'https://dify.example.com/v1' }],
      { DIFY_API_KEY: 'app-1' },
      'MODELS: entry 1: key must be named beside a baseUrl of its own',
    ],
    [[{ ...openai, baseUrl: 'llm' }], KEY, 'MODELS: entry 1: baseUrl must be a URL'],
    [[{ ...openai, baseUrl: 'http://llm.example.com' }], KEY, 'MODELS: entry 1: baseUrl must be https'],
    [[{ ...openai, baseUrl: 'https://me@llm.example.com' }], KEY, 'MODELS: entry 1: baseUrl must have no user'],
    [[{ ...openai, baseUrl: 'https://10.0.0.1' }], KEY, 'MODELS: entry 1: baseUrl is at a private or reserved address'],
    [[{ ...openai, baseUrl: 'https://llm.example.com/?a=1' }], KEY, 'MODELS: entry 1: baseUrl must have no query'],
    [[openai], { ...KEY, OPENAI_BASE_URL: 'http://llm.example.com' }, 'OPENAI_BASE_URL: must be https'],
    [[openai], { ...KEY, OPENAI_BASE_URL: 'https://169.254.169.254' }, 'OPENAI_BASE_URL: is at a private or reserved'],
  ])('is refused as %j with %j', (list, env, sentence) => {
    const told = faults(list, env).map(({ name, sentence }) => `${name}: ${sentence}`)
    expect(told).toEqual([expect.stringContaining(sentence)])
  })

  it('may lead to hosts of a private network that are named', () => {
    const env = { ...KEY, PROVIDER_ALLOW_PRIVATE: 'LLM.internal, 10.0.0.1, FD00::0005' }
    const list = [
      { ...openai, baseUrl: 'http://llm.internal:8000/v1' },
      { ...openai, id: 'p', baseUrl: 'http://10.0.0.1:8000/v1' },
      { ...openai, id: 'q', baseUrl: 'http://[fd00::5]:8000/v1' },
    ]
    expect(read(list, env)).toMatchObject({ privateHosts: ['llm.internal', '10.0.0.1', 'fd00::5'] })
  })

  it('names a variable that is missing once, however many models need it', () => {
    expect(faults([openai, { ...openai, id: 'p' }]).map(({ name }) => name)).toEqual(['OPENAI_API_KEY'])
  })

  it('says where it stops being JSON', () => {
    expect(() => loadConfig(whole, { MODELS: '[{"id":"a" "label":"A"}]' })).toThrow(/, from character 12 on$/)
    expect(() => loadConfig(whole, { MODELS: '[{"id":"a"}' })).toThrow(/^MODELS: is not valid JSON/)
  })

  it('repeats nothing of what was written, a key in the wrong place neither', () => {
    const canary = 'sk-proj-canary0123456789'
    for (const list of [
      [{ ...openai, key: canary }],
      [{ ...openai, [canary]: true }],
      [{ ...openai, apiKey: canary }],
      [{ ...openai, baseUrl: `https://${canary}@llm.example.com` }],
      canary,
    ]) {
      const told = JSON.stringify(faults(list, { OPENAI_API_KEY: `${canary} x` }))
      expect(told).toContain('"sentence"')
      expect(told).not.toContain(canary)
    }
    expect(() => loadConfig(whole, { MODELS: `[{"id": ${canary}` })).toThrow(/^MODELS: is not valid JSON(, from|$)/)
  })
})

describe('without MODELS, one process that has everything', () => {
  const found = (env: Env) => loadConfig(modelSpecs({ presets: true }), env).config

  it('has the demo models', () => {
    expect(found({}).models.map(({ id }) => id)).toEqual(['demo', 'demo-quick'])
  })

  it.each([
    [KEY, 'openai', 'https://api.openai.com/v1'],
    [{ ANTHROPIC_API_KEY: 'sk-a' }, 'anthropic', 'https://api.anthropic.com'],
    [{ DIFY_API_KEY: 'app-d' }, 'dify', 'https://api.dify.ai/v1'],
    [{ ...KEY, OPENAI_BASE_URL: 'http://127.0.0.1:9/v1/' }, 'openai', 'http://127.0.0.1:9/v1'],
  ])('has the models of %j', (env, provider, baseUrl) => {
    const { models, defaultId } = found(env)
    expect(new Set(models.map((model) => model.provider))).toEqual(new Set([provider]))
    expect(models).toEqual(models.map((model) => ({ ...model, baseUrl, apiKey: Object.values(env)[0] })))
    expect(defaultId).toBe(models[0]?.id)
  })

  it('has those that are named, with prices where they are known, and the first as the default', () => {
    const { models, defaultId } = found({ ...KEY, OPENAI_MODELS: 'of-tomorrow, gpt-6-luna', ANTHROPIC_API_KEY: 'a' })
    const [first, second] = models
    expect(first).toMatchObject({ id: 'of-tomorrow', model: 'of-tomorrow', label: 'of-tomorrow', api: 'chat' })
    expect(first).not.toHaveProperty('price')
    expect(second).toMatchObject({ id: 'gpt-6-luna', label: 'GPT-6 Luna', price: { in: 0.1, out: 0.5 } })
    expect(models.filter(({ provider }) => provider === 'openai')).toHaveLength(2)
    expect(models.every((model) => model.id === 'of-tomorrow' || model.price)).toBe(true)
    expect(defaultId).toBe('of-tomorrow')
  })

  it.each([
    [{ ...KEY, OPENAI_MODELS: ' , ' }, 'OPENAI_MODELS: must name at least one model'],
    [{ ...KEY, OPENAI_MODELS: 'x'.repeat(101) }, 'OPENAI_MODELS: entry 1 must have at most 100 characters'],
    [
      { ...KEY, OPENAI_MODELS: 'same', ANTHROPIC_API_KEY: 'a', ANTHROPIC_MODELS: 'same' },
      'ANTHROPIC_MODELS: names a model that is on offer by another key already',
    ],
    [
      { ...KEY, OPENAI_MODELS: 'dify', DIFY_API_KEY: 'd' },
      'OPENAI_MODELS: names a model that is on offer by another key already',
    ],
  ])('refuses %j', (env, sentence) => {
    expect(() => found(env)).toThrow(sentence)
  })

  it('has those of all vendors whose key is there', () => {
    const { models } = found({ ...KEY, ANTHROPIC_API_KEY: 'a', DIFY_API_KEY: 'd' })
    expect(new Set(models.map(({ provider }) => provider))).toEqual(new Set(['openai', 'anthropic', 'dify']))
    expect(new Set(models.map(({ id }) => id)).size).toBe(models.length)
  })
})

describe('MODELS for whoever only shows them', () => {
  const shown = (list: unknown) => loadConfig(models(), { MODELS: JSON.stringify(list) }).config

  it('needs no key, and no idea of what a newer worker understands', () => {
    const newer = { ...openai, id: 'n', label: 'N', default: true, provider: 'of tomorrow', thought: 3 }
    expect(shown([openai, newer])).toEqual([
      { id: 'o', label: 'O' },
      { id: 'n', label: 'N', default: true },
    ])
  })

  it('is refused without an id or a label, or with the same id twice', () => {
    expect(() => shown([{ id: 'a' }])).toThrow('MODELS: entry 1: label must be a text of 1 to 200 characters')
    expect(() => shown([demo, demo])).toThrow('MODELS: entry 2: id is that of an earlier entry')
  })

  it('is the demo models without it', () => {
    expect(loadConfig(models(), {}).config.map(({ id }) => id)).toEqual(['demo', 'demo-quick'])
  })
})
