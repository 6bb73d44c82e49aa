import type { Script } from '../script.ts'
import type { Frames } from '../vendors/vendor.ts'

/** What has to be made of a fault (docs/providers.md). */
export interface Verdict {
  readonly code: 'provider_error' | 'provider_overloaded' | 'provider_rejected'
  /** Worth another try. */
  readonly retryable: boolean
}

/** Something that goes wrong at the vendor. */
export interface FaultCase extends Verdict {
  readonly name: string
  script(frames: Frames): Script
  /** What was said before. */
  readonly text: string
  /** Words that the log has of it. */
  readonly logged?: string
  /** A way to a model may say nothing of it, and leave it to its caller to see that there was no end mark. */
  readonly untold?: true
}

export const REJECTED: Verdict = { code: 'provider_rejected', retryable: false }
/** Of ours to mend: a key, a name, an address. */
export const WRONG: Verdict = { code: 'provider_error', retryable: false }
export const BROKEN: Verdict = { code: 'provider_error', retryable: true }
export const OVERLOADED: Verdict = { code: 'provider_overloaded', retryable: true }

const STATUSES: readonly (readonly [number, Verdict])[] = [
  [400, REJECTED],
  [401, WRONG],
  [403, WRONG],
  [404, WRONG],
  [408, BROKEN],
  [409, BROKEN],
  [413, REJECTED],
  [422, REJECTED],
  [429, OVERLOADED],
  [500, BROKEN],
  [501, WRONG],
  [502, BROKEN],
  [503, OVERLOADED],
  [504, BROKEN],
  [520, BROKEN],
  [529, OVERLOADED],
]

const MIB = 1024 * 1024

/** Bytes in the middle of an answer that nobody can read. */
const GARBAGE: Record<string, (frames: Frames) => string | Uint8Array> = {
  'an event that is no JSON': ({ event }) => event('{"half": '),
  'an event whose JSON is something else': ({ event }) => event('["a", 1]'),
  'bytes that are no UTF-8': ({ text }) => {
    const bytes = Buffer.from(text('AAAA'))
    bytes.set([0xc3, 0x28, 0xff, 0xfe], bytes.indexOf('AAAA'))
    return bytes
  },
  'a line of 10 MB': ({ text }) => text('x'.repeat(10 * MIB)),
  'an event of 10 MB in short lines': () => `${': nothing to say here\n'.repeat((10 * MIB) / 22)}\n`,
}

const stream = { 'content-type': 'text/event-stream' }

/** Everything that the fakes can do wrong by themselves. */
export const FAULTS: readonly FaultCase[] = [
  ...STATUSES.map(
    ([status, verdict]): FaultCase => ({
      name: `the status ${status}`,
      script: () => ({ status }),
      text: '',
      logged: String(status),
      ...verdict,
    }),
  ),
  {
    name: 'HTML with status 200',
    script: () => ({ body: '<!doctype html><p>Sign in</p>', headers: { 'content-type': 'text/html' } }),
    text: '',
    ...WRONG,
  },
  {
    name: 'JSON with status 200',
    script: () => ({ body: '{"detail": "no streams here"}' }),
    text: '',
    ...WRONG,
  },
  {
    name: 'HTML that says it is a stream',
    script: () => ({ body: '<!doctype html>\n\n<p>', headers: stream }),
    text: '',
    ...BROKEN,
  },
  { name: 'an empty stream', script: () => ({ body: '', headers: stream }), text: '', ...BROKEN },
  { name: 'a stream that ends before the first piece', script: () => ({}), text: '', untold: true, ...BROKEN },
  {
    name: 'a stream that ends in the middle',
    script: () => ({ steps: [{ say: 'So ' }, { say: 'far' }] }),
    text: 'So far',
    untold: true,
    ...BROKEN,
  },
  {
    name: 'a connection that breaks before the first piece',
    script: () => ({ steps: [{ wait: 20 }, { cut: true }] }),
    text: '',
    ...BROKEN,
  },
  {
    name: 'a connection that breaks in the middle',
    script: () => ({ steps: [{ say: 'So far' }, { wait: 20 }, { cut: true }] }),
    text: 'So far',
    ...BROKEN,
  },
  {
    name: 'an error inside the stream',
    script: () => ({ steps: [{ say: 'So far' }, { error: 'the vendor has a bad day' }] }),
    text: 'So far',
    logged: 'bad day',
    ...BROKEN,
  },
  {
    name: 'an overload inside the stream',
    script: () => ({ steps: [{ say: 'So far' }, { error: 'the vendor has a bad day', overloaded: true }] }),
    text: 'So far',
    logged: 'bad day',
    ...OVERLOADED,
  },
  {
    name: 'an error instead of the first piece',
    script: () => ({ steps: [{ error: 'the vendor has a bad day' }] }),
    text: '',
    logged: 'bad day',
    ...BROKEN,
  },
  ...Object.entries(GARBAGE).map(
    ([name, garbage]): FaultCase => ({
      name,
      script: (frames) => ({ steps: [{ say: 'So far' }, { raw: garbage(frames) }, { hang: true }] }),
      text: 'So far',
      ...BROKEN,
    }),
  ),
]
