import { startFakeOpenAI } from '@chatbox/testkit/providers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ProviderRequest } from '../../../src/provider.ts'
import { createOpenAIProvider, type OpenAIOptions } from '../../../src/providers/openai.ts'
import { listen, QUESTION } from '../golden/opened.ts'

const FULL: ProviderRequest = { ...QUESTION, system: 'Be brief.', maxTokens: 50, temperature: 0.5 }

/** What is asked of a server at this base URL, without asking it. */
async function asked(baseUrl: string, options: OpenAIOptions = {}, apiKey = 'some-key') {
  const requests: Request[] = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    requests.push(new Request(input, init))
    return new Response('data: [DONE]\n\n', { headers: { 'content-type': 'text/event-stream' } })
  }
  await listen(createOpenAIProvider({ baseUrl, apiKey, fetch }, options), FULL)
  const [request] = requests
  if (!request) throw new Error('nothing was asked')
  return { url: request.url, headers: request.headers, body: await request.json() }
}

afterEach(() => vi.unstubAllEnvs())

describe('a request to OpenAI', () => {
  it.each([
    ['https://api.openai.com/v1', 'max_completion_tokens'],
    ['https://eu.api.openai.com/v1', 'max_completion_tokens'],
    ['https://somebody.openai.azure.com/openai/v1', 'max_completion_tokens'],
    ['http://127.0.0.1:11434/v1', 'max_tokens'],
    ['https://not-openai.com/v1', 'max_tokens'],
  ])('to %s calls the limit %s', async (baseUrl, name) => {
    const { body } = await asked(baseUrl)
    expect(body).toHaveProperty(name, 50)
    expect(Object.keys(body).filter((key) => /tokens/.test(key))).toEqual([name])
  })

  it('calls the limit as it is told, and leaves the usage out where it is told to', async () => {
    const { body } = await asked('http://127.0.0.1:1/v1', { maxTokensName: 'max_completion_tokens', askUsage: false })
    expect(body).toEqual({
      model: 'a-model',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Why is it so?' },
      ],
      stream: true,
      max_completion_tokens: 50,
      temperature: 0.5,
    })
  })

  it('asks the Responses API to keep nothing', async () => {
    const { url, body } = await asked('https://api.openai.com/v1', { api: 'responses' })
    expect(url).toBe('https://api.openai.com/v1/responses')
    expect(body).toEqual({
      model: 'a-model',
      input: [{ role: 'user', content: 'Why is it so?' }],
      instructions: 'Be brief.',
      stream: true,
      store: false,
      max_output_tokens: 50,
      temperature: 0.5,
    })
  })

  it('goes below whatever path the base URL has', async () => {
    const { url } = await asked('https://models.example/tenants/7/openai/v1')
    expect(url).toBe('https://models.example/tenants/7/openai/v1/chat/completions')
  })

  it('takes nothing from an environment that was set for something else', async () => {
    for (const [name, value] of Object.entries({
      OPENAI_API_KEY: 'another-key',
      OPENAI_ADMIN_KEY: 'another-key',
      OPENAI_BASE_URL: 'https://elsewhere.example/v1',
      OPENAI_ORG_ID: 'another-org',
      OPENAI_PROJECT_ID: 'another-project',
      OPENAI_LOG: 'debug',
    })) {
      vi.stubEnv(name, value)
    }
    const log = vi.spyOn(console, 'debug').mockImplementation(() => undefined)
    const { url, headers } = await asked('https://models.example/v1')
    expect(url).toBe('https://models.example/v1/chat/completions')
    expect(headers.get('authorization')).toBe('Bearer some-key')
    expect(JSON.stringify([...headers])).not.toContain('another')
    expect(log).not.toHaveBeenCalled()
  })

  it('has no key for a server that needs none, whatever the environment says', async () => {
    vi.stubEnv('OPENAI_API_KEY', 'another-key')
    for (const api of ['chat', 'responses'] as const) {
      const { headers } = await asked('http://127.0.0.1:11434/v1', { api }, '')
      expect(headers.has('authorization')).toBe(false)
    }
  })

  it('is answered by a server that needs no key, below a path of its own', async () => {
    const fake = await startFakeOpenAI({ needsKey: false })
    const upstream = { baseUrl: `${fake.url}/engines/v1`, apiKey: '', fetch: globalThis.fetch }
    try {
      expect(await listen(createOpenAIProvider(upstream))).toMatchObject({ text: 'Hello.', ends: ['stop'] })
      expect((await fake.call(0)).path).toBe('/engines/v1/chat/completions')
    } finally {
      await fake.stop()
    }
  })
})
