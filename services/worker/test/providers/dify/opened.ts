import {
  type FakeCall,
  type FakeDify,
  type FakeDifyOptions,
  type Frames,
  startFakeDify,
  VENDORS,
  type Vendor,
} from '@chatbox/testkit/providers'
import { createDifyProvider, type DifyOptions, type Provider } from '@chatbox/worker'
import { onTestFinished } from 'vitest'
import { KEY } from '../golden.ts'

export interface OpenedDify {
  readonly fake: FakeDify
  readonly provider: Provider
  readonly frames: Frames
  readonly heard: Vendor['heard']
}

const { frames, heard } = VENDORS.dify

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
  raw: frames.event(JSON.stringify({ event: name, task_id: TASK, conversation_id: CONVERSATION, ...fields })),
})

/** What was asked for by one call. */
export interface Asked {
  readonly query: string
  readonly user: string
  readonly conversation_id?: string
}

export const askedBy = ({ body }: FakeCall): Asked => body as Asked
