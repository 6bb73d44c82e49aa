import { startFakeAnthropic } from '../anthropic.ts'
import type { Frames, Vendor } from './vendor.ts'

interface Asked {
  readonly model: string
  readonly system?: string
  readonly max_tokens: number
  readonly temperature?: number
  readonly messages: readonly { readonly role: string; readonly content: string }[]
}

const frames: Frames = {
  event: (data) => `event: content_block_delta\ndata: ${data}\n\n`,
  text: (text) =>
    frames.event(JSON.stringify({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
}

export const anthropic: Vendor = {
  start: () => startFakeAnthropic(),
  path: '',
  frames,
  heard({ headers, body }) {
    const { model, system, max_tokens, temperature, messages } = body as Asked
    return {
      key: headers['x-api-key'] as string | undefined,
      model,
      system,
      maxTokens: max_tokens,
      temperature,
      messages: messages.map(({ role, content }) => ({ role, text: content })),
    }
  },
}
