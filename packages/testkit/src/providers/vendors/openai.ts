import type { FakeRequest } from '../fake.ts'
import { startFakeOpenAI } from '../openai.ts'
import type { Frames, Heard, Vendor } from './vendor.ts'

interface Asked {
  readonly model: string
  readonly messages?: readonly { readonly role: string; readonly content: string }[]
  readonly input?: readonly { readonly role: string; readonly content: string }[]
  readonly instructions?: string
  readonly max_tokens?: number
  readonly max_output_tokens?: number
  readonly temperature?: number
}

const chatFrames: Frames = {
  event: (data) => `data: ${data}\n\n`,
  text: (content) => chatFrames.event(JSON.stringify({ choices: [{ index: 0, delta: { content } }] })),
}

const responsesFrames: Frames = {
  event: (data) => `event: response.output_text.delta\ndata: ${data}\n\n`,
  text: (delta) => responsesFrames.event(JSON.stringify({ type: 'response.output_text.delta', delta })),
}

function heard({ headers, body }: FakeRequest): Heard {
  const { model, messages, input, instructions, max_tokens, max_output_tokens, temperature } = body as Asked
  const said = (messages ?? input ?? []).map(({ role, content }) => ({ role, text: content }))
  const [first] = said
  return {
    key: /^Bearer (.*)$/.exec(headers.authorization ?? '')?.[1],
    model,
    system: first?.role === 'system' ? first.text : instructions,
    maxTokens: max_tokens ?? max_output_tokens,
    temperature,
    messages: said.filter(({ role }) => role !== 'system'),
  }
}

const vendor = (frames: Frames): Vendor => ({ start: () => startFakeOpenAI(), path: '/v1', frames, heard })

export const openAIChat = vendor(chatFrames)
export const openAIResponses = vendor(responsesFrames)
