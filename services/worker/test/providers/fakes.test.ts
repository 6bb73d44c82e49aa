import Anthropic from '@anthropic-ai/sdk'
import { type FakeProvider, type Script, startFakeAnthropic, startFakeOpenAI } from '@chatbox/testkit/providers'
import OpenAI from 'openai'
import { expect, it, onTestFinished } from 'vitest'
import { KEY } from './golden/opened.ts'

// Our adapters read the streams by themselves, so they would not notice a fake that says what no vendor says. The vendors' own readers do.

const TEXT = 'Hello, 漢字 🙂.'
const question = [{ role: 'user', content: 'Are you there?' } as const]

const script = (cutAt: number, newline: '\n' | '\r\n'): Script => ({
  steps: [
    { noise: 'comment' },
    { noise: 'ping' },
    { say: TEXT.slice(0, 4) },
    { noise: 'ping' },
    { say: TEXT.slice(4) },
    { usage: { input: 12, output: 5 } },
    { end: 'length' },
  ],
  ...{ cutAt, newline },
})

const CUTS = [
  [1, '\n'],
  [7, '\r\n'],
  [1_000_000, '\n'],
] as const

async function saying(fake: FakeProvider, played: Script): Promise<FakeProvider> {
  onTestFinished(() => fake.stop())
  fake.always(played)
  return fake
}

const openai = ({ url }: FakeProvider) => new OpenAI({ apiKey: KEY, baseURL: `${url}/v1`, maxRetries: 0 })
const anthropic = ({ url }: FakeProvider) => new Anthropic({ apiKey: KEY, baseURL: url, maxRetries: 0 })

it.each(CUTS)('the SDK of OpenAI reads the fake’s chat completions, cut at %i', async (cutAt, newline) => {
  const client = openai(await saying(await startFakeOpenAI(), script(cutAt, newline)))
  const asked = { model: 'm', messages: question, stream_options: { include_usage: true } }
  const { choices, usage } = await client.chat.completions
    .stream({ ...asked, messages: [...question] })
    .finalChatCompletion()
  expect(choices).toMatchObject([{ message: { role: 'assistant', content: TEXT }, finish_reason: 'length' }])
  expect(usage).toMatchObject({ prompt_tokens: 12, completion_tokens: 5 })
})

it.each(CUTS)('the SDK of OpenAI reads the fake’s responses, cut at %i', async (cutAt, newline) => {
  const client = openai(await saying(await startFakeOpenAI(), script(cutAt, newline)))
  const response = await client.responses.stream({ model: 'm', input: [...question] }).finalResponse()
  expect(response).toMatchObject({
    ...{ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, output_text: TEXT },
    usage: { input_tokens: 12, output_tokens: 5 },
  })
})

it.each(CUTS)('the SDK of Anthropic reads the fake’s messages, cut at %i', async (cutAt, newline) => {
  const client = anthropic(await saying(await startFakeAnthropic({ thinking: 'Hm.' }), script(cutAt, newline)))
  const message = await client.messages.stream({ model: 'm', max_tokens: 9, messages: [...question] }).finalMessage()
  expect(message).toMatchObject({
    content: [
      { type: 'thinking', thinking: 'Hm.' },
      { type: 'text', text: TEXT },
    ],
    ...{ stop_reason: 'max_tokens', usage: { input_tokens: 12, output_tokens: 5 } },
  })
})

it.each<[string, Script, 'RateLimitError' | 'APIError', string]>([
  ['before the stream', { status: 429 }, 'RateLimitError', 'told to answer 429'],
  ['inside it', { steps: [{ say: 'So far' }, { error: 'a bad day' }] }, 'APIError', 'a bad day'],
])('the SDKs take the fakes’ errors %s for those of their vendors', async (_, played, kind, words) => {
  const [chat, messages] = [await startFakeOpenAI(), await startFakeAnthropic()]
  const [one, two] = [openai(await saying(chat, played)), anthropic(await saying(messages, played))]
  const chatting = one.chat.completions.stream({ model: 'm', messages: [...question] }).finalMessage()
  const faultOfOne = await chatting.catch((error: unknown) => error)
  expect(faultOfOne).toBeInstanceOf(OpenAI[kind])
  expect(String(faultOfOne)).toContain(words)
  const speaking = two.messages.stream({ model: 'm', max_tokens: 9, messages: [...question] }).finalMessage()
  const faultOfTwo = await speaking.catch((error: unknown) => error)
  expect(faultOfTwo).toBeInstanceOf(Anthropic[kind])
  expect(String(faultOfTwo)).toContain(words)
})
