import type { FakeRequest } from './fake.ts'
import type { Step } from './script.ts'

/** The steps whose bytes depend on the vendor. */
export type Said = Exclude<Step, { raw: unknown } | { wait: unknown } | { hang: true } | { cut: true }>

/** One answer's stream in a vendor's format; it may keep state, such as an index or the usage. */
export interface Stream {
  readonly contentType: string
  /** What comes before the first step. Lines end in \n; the fake puts other ends. */
  begin(): string
  write(step: Said): string
}

/** How a vendor speaks. One small file each. */
export interface Dialect {
  /** Whether this path and method ask for an answer; others get 404, unless `other` has something to say. */
  asks(request: FakeRequest): boolean
  /** Refuses what the vendor would refuse: a missing key, a body without what it must have. */
  refuse?(request: FakeRequest): { readonly status: number; readonly body: string } | undefined
  stream(request: FakeRequest): Stream
  errorBody(status: number, message: string): string
  /** Requests that are not for an answer, such as a vendor's stop endpoint. */
  other?(request: FakeRequest): { readonly status: number; readonly body: string } | undefined
}
