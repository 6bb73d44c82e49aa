import { startFakeOpenAI } from '@chatbox/testkit/providers'
import { createOpenAIProvider, type OpenAIOptions } from '../../src/providers/openai.ts'
import { describeProvider, KEY, type Opened } from './golden.ts'

interface Asked {
  readonly model: string
  readonly messages?: readonly { readonly role: string; readonly content: string }[]
  readonly input?: readonly { readonly role: string; readonly content: string }[]
  readonly instructions?: string
  readonly max_tokens?: number
  readonly max_output_tokens?: number
  readonly temperature?: number
}

const FRAMES = {
  chat: {
    event: (data: string) => `data: ${data}\n\n`,
    text: (content: string) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`,
  },
  responses: {
    event: (data: string) => `event: response.output_text.delta\ndata: ${data}\n\n`,
    text: (delta: string) =>
      `event: response.output_text.delta\ndata: ${JSON.stringify({ type: 'response.output_text.delta', delta })}\n\n`,
  },
}

async function open(api: 'chat' | 'responses', options: OpenAIOptions = {}): Promise<Opened> {
  const fake = await startFakeOpenAI()
  const upstream = { baseUrl: `${fake.url}/v1`, apiKey: KEY, fetch: globalThis.fetch }
  return {
    fake,
    provider: createOpenAIProvider(upstream, { api, ...options }),
    frames: FRAMES[api],
    heard({ headers, body }) {
      const { model, messages, input, instructions, max_tokens, max_output_tokens, temperature } = body as Asked
      const said = (messages ?? input ?? []).map(({ role, content }) => ({ role, text: content }))
      const [first] = said
      const system = first?.role === 'system' ? first.text : instructions
      return {
        key: /^Bearer (.*)$/.exec(headers.authorization ?? '')?.[1],
        model,
        system,
        maxTokens: max_tokens ?? max_output_tokens,
        temperature,
        messages: said.filter(({ role }) => role !== 'system'),
      }
    },
  }
}

describeProvider('OpenAI by Chat Completions', () => open('chat'))
describeProvider('OpenAI by the Responses API', () => open('responses'))
