import type { FakeProvider, FakeRequest } from '../fake.ts'

/** A vendor, as those need it who test all of them alike. */
export interface Vendor {
  start(): Promise<FakeProvider>
  /** Of the base URL, behind the fake's own. */
  readonly path: string
  readonly frames: Frames
  /** What it understands of a request. */
  heard(call: FakeRequest): Heard
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
