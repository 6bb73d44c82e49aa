import { startFakeDify } from '../dify.ts'
import type { FakeRequest } from '../fake.ts'
import type { Frames, Heard, Vendor } from './vendor.ts'

const frames: Frames = {
  event: (data) => `data: ${data}\n\n`,
  text: (answer) => frames.event(JSON.stringify({ event: 'message', answer })),
}

export const dify = {
  start: () => startFakeDify(),
  path: '/v1',
  frames,
  heard: ({ headers, body }: FakeRequest): Heard => ({
    key: headers.authorization?.replace('Bearer ', ''),
    messages: messagesIn((body as { readonly query: string }).query),
  }),
} satisfies Vendor

const QUESTION = '\n\nWhat the user says now, to be answered:\n\n'

/** The text that the vendor is given, read as a model would. */
function messagesIn(query: string): Heard['messages'] {
  const at = query.indexOf(QUESTION)
  if (at === -1) return [{ role: 'user', text: query }]
  const spoken = query.slice(0, at).split(/\n\n(?=\S[^\n]*:\n> )/)
  return [...spoken.slice(1).map(messageIn), { role: 'user', text: query.slice(at + QUESTION.length) }]
}

function messageIn(block: string) {
  const [speaker = '', ...lines] = block.split('\n')
  const text = lines.map((line) => line.replace(/^> /, '')).join('\n')
  if (speaker === 'The user:') return { role: 'user', text }
  return speaker === 'You:' ? { role: 'assistant', text } : { role: 'assistant', text: `${speaker}\n${text}` }
}
