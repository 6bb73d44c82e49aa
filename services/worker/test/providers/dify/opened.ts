import { type FakeCall, type FakeDify, type FakeDifyOptions, startFakeDify } from '@chatbox/testkit/providers'
import { createDifyProvider, type DifyOptions, type Provider } from '@chatbox/worker'
import { onTestFinished } from 'vitest'
import { type Frames, type Heard, KEY } from '../golden.ts'

export interface OpenedDify {
  readonly fake: FakeDify
  readonly provider: Provider
  readonly frames: Frames
  heard(call: FakeCall): Heard
}

type DifyTestOptions = FakeDifyOptions & DifyOptions & { readonly fetch?: typeof globalThis.fetch }

export async function openDify(options: DifyTestOptions = {}): Promise<OpenedDify> {
  const { app = 'chatflow', fetch = globalThis.fetch, ...rest } = options
  const fake = await startFakeDify({ app })
  const upstream = { baseUrl: `${fake.url}/v1`, apiKey: KEY, fetch }
  return { fake, provider: createDifyProvider(upstream, rest), frames, heard }
}

/** For one test, which stops it. */
export async function openedDify(options: DifyTestOptions = {}): Promise<OpenedDify> {
  const it = await openDify(options)
  onTestFinished(() => it.fake.stop())
  return it
}

/** An event of a run whose task and conversation are known. */
export const TASK = 'a-task'
export const CONVERSATION = '2f8c1b06-7d6a-4b52-9c3e-5a1d0e4f7b98'
export const difyEvent = (name: string, fields: object = {}): { raw: string } => ({
  raw: event(JSON.stringify({ event: name, task_id: TASK, conversation_id: CONVERSATION, ...fields })),
})

/** What was asked for by one call. */
export interface Asked {
  readonly query: string
  readonly user: string
  readonly conversation_id?: string
}

export const askedBy = ({ body }: FakeCall): Asked => body as Asked

const event = (data: string): string => `data: ${data}\n\n`

const frames: Frames = { event, text: (answer) => event(JSON.stringify({ event: 'message', answer })) }

const heard = (call: FakeCall): Heard => ({
  key: call.headers.authorization?.replace('Bearer ', ''),
  messages: messagesIn(askedBy(call).query),
})

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
