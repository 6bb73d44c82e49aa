import type { FakeProvider, Frames, Vendor } from '@chatbox/testkit/providers'
import {
  type FinishReason,
  type Provider,
  type ProviderEvent,
  ProviderFault,
  type ProviderRequest,
} from '@chatbox/worker'
import { onTestFinished } from 'vitest'

/** The key that `open` gives its upstream. */
export const KEY = 'the-key-that-nobody-may-read-4d1f'

/** A vendor's adapter over a fake of its vendor. */
export interface Opened {
  readonly fake: FakeProvider
  readonly provider: Provider
  readonly frames: Frames
  /** What the vendor understands of a request. */
  readonly heard: Vendor['heard']
}

export type Open = () => Promise<Opened>

/** What a vendor hasn't got, so that nothing is expected of it. */
export interface Differs {
  readonly without?: readonly ('model' | 'system' | 'maxTokens' | 'temperature')[]
  readonly endsNeverBy?: readonly FinishReason[]
  /** What it tells of every answer, however short it is and wherever it breaks off. */
  readonly alwaysTells?: { readonly whole: TokenTotals; readonly broken: TokenTotals }
}

/** For one test, which stops it. */
export async function opened(open: Open): Promise<Opened> {
  const it = await open()
  onTestFinished(() => it.fake.stop())
  return it
}

export const QUESTION: ProviderRequest = { model: 'a-model', messages: [{ role: 'user', text: 'Why is it so?' }] }

export interface TokenTotals {
  readonly inputTokens?: number
  readonly outputTokens?: number
}

export interface Said {
  readonly events: readonly ProviderEvent[]
  readonly text: string
  /** What usage says in the end. */
  readonly totals: TokenTotals
  readonly ends: readonly FinishReason[]
  readonly fault: ProviderFault | undefined
}

/** Listens to the end; a fault is part of what is heard, and anything else that is thrown is no fault of the provider's. */
export async function listen(provider: Provider, request: ProviderRequest = QUESTION): Promise<Said> {
  const events: ProviderEvent[] = []
  let fault: ProviderFault | undefined
  try {
    for await (const event of provider.stream(request, new AbortController().signal)) events.push(event)
  } catch (error) {
    if (!(error instanceof ProviderFault)) throw error
    fault = error
  }
  return {
    events,
    fault,
    text: events.map((event) => (event.type === 'text' ? event.text : '')).join(''),
    ends: events.flatMap((event) => (event.type === 'end' ? [event.reason] : [])),
    totals: Object.assign({}, ...events.map((event) => (event.type === 'usage' ? named(event) : {}))),
  }
}

/** What it names, for the totals, where a later one replaces what an earlier one named. */
const named = ({ type: _, ...counts }: ProviderEvent & { type: 'usage' }) => counts
