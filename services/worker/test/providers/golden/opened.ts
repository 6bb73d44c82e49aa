import type { FakeCall, FakeProvider } from '@chatbox/testkit/providers'
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
  heard(call: FakeCall): Heard
}

/** What a vendor puts on the wire, for bytes that no script can say. Lines end in \n. */
export interface Frames {
  /** An event of the kind that carries text, with these data instead. */
  event(data: string): string
  text(text: string): string
}

export interface Heard {
  readonly key: string | undefined
  readonly model?: string | undefined
  readonly system?: string | undefined
  readonly maxTokens?: number | undefined
  readonly temperature?: number | undefined
  readonly messages: readonly { readonly role: string; readonly text: string }[]
}

export type Open = () => Promise<Opened>

/** What a vendor hasn't got, so that nothing is expected of it. */
export interface Differs {
  readonly without?: readonly ('model' | 'system' | 'maxTokens' | 'temperature')[]
  readonly endsNeverBy?: readonly FinishReason[]
}

/** For one test, which stops it. */
export async function opened(open: Open): Promise<Opened> {
  const it = await open()
  onTestFinished(() => it.fake.stop())
  return it
}

export const QUESTION: ProviderRequest = { model: 'a-model', messages: [{ role: 'user', text: 'Why is it so?' }] }

export interface Said {
  readonly events: readonly ProviderEvent[]
  readonly text: string
  /** What usage says in the end. */
  readonly totals: { readonly inputTokens?: number; readonly outputTokens?: number }
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
