import { errorBody, refusalOf } from './anthropic/errors.ts'
import { messageStream, type Peculiarities } from './anthropic/stream.ts'
import { type FakeProvider, startFake } from './fake.ts'

export type { Peculiarities as AnthropicPeculiarities }

/** The streaming half of Anthropic's Messages API, versions 2023-06-01 and 2026-10-21. */
export function startFakeAnthropic(peculiarities: Peculiarities = {}): Promise<FakeProvider> {
  return startFake({
    asks: ({ method, path }) => method === 'POST' && path === '/v1/messages',
    refuse: refusalOf,
    stream: ({ body }) => messageStream(body, peculiarities),
    errorBody,
  })
}
