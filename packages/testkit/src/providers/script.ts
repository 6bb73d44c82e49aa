/** One thing that a provider does while it answers, said in no vendor's words. */
export type Step =
  | { readonly say: string }
  /** Totals of the request, as the vendor words them. A vendor that says them with its end mark keeps them until then. */
  | { readonly usage: { readonly input: number; readonly output: number } }
  /** The vendor's own mark that the answer is whole; then the stream ends. */
  | { readonly end: 'stop' | 'length' | 'filtered' }
  /** The vendor's error inside a stream that had begun with 200; then the stream ends. */
  | { readonly error: string; readonly overloaded?: boolean }
  /** What a client has to pass over: a comment, or the vendor's ping. */
  | { readonly noise: 'comment' | 'ping' | 'unknown-event' }
  /** These very bytes. */
  | { readonly raw: string | Uint8Array }
  /** Goes on when this resolves, or after so many milliseconds. */
  | { readonly wait: Promise<unknown> | number }
  /** Says nothing more until the client closes. */
  | { readonly hang: true }
  /** The connection breaks. Without this, and without an end, the stream ends cleanly and unfinished. */
  | { readonly cut: true }

/** How a request is answered. */
export interface Script {
  readonly steps?: readonly Step[]
  /** Before the status line is sent. */
  readonly beforeHeaders?: Promise<unknown> | number
  /** Another status than 200 is answered with the vendor's error body, or with `body`. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Instead of everything that `steps` would have said. */
  readonly body?: string
  /** Bytes of each write; characters and events are cut wherever that falls. Without it, an event a write. */
  readonly cutAt?: number
  /** Line ends of the stream. */
  readonly newline?: '\n' | '\r\n'
}
