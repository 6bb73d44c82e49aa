// Servers that speak like the vendors of models, for tests, benches, and anybody who tries the workers without a key.
export { type AnthropicPeculiarities, startFakeAnthropic } from './anthropic.ts'
export type { Dialect, Said, Stream } from './dialect.ts'
export { type DifyStop, type FakeDify, type FakeDifyOptions, startFakeDify } from './dify.ts'
export { type FakeCall, type FakeProvider, type FakeRequest, startFake } from './fake.ts'
export { chatStream } from './openai/chat.ts'
export { type FakeOpenAIOptions, startFakeOpenAI } from './openai.ts'
export type { Script, Step } from './script.ts'
