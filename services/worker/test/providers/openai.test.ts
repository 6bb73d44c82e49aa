import { VENDORS } from '@chatbox/testkit/providers'
import { createOpenAIProvider, type OpenAIOptions } from '../../src/providers/openai.ts'
import { describeProvider, KEY, type Opened } from './golden.ts'

async function open(api: 'chat' | 'responses', options: OpenAIOptions = {}): Promise<Opened> {
  const { start, path, frames, heard } = api === 'chat' ? VENDORS.openAIChat : VENDORS.openAIResponses
  const fake = await start()
  const upstream = { baseUrl: `${fake.url}${path}`, apiKey: KEY, fetch: globalThis.fetch }
  return { fake, provider: createOpenAIProvider(upstream, { api, ...options }), frames, heard }
}

describeProvider('OpenAI by Chat Completions', () => open('chat'))
describeProvider('OpenAI by the Responses API', () => open('responses'))
