import type { AnswerStatus, ErrorCode } from '@chatbox/protocol'
import { ANSWERS, FAULTS, type FaultCase, type Frames, type Script, secretCases } from '@chatbox/testkit/providers'
import { defaultWorkerBounds, defaultWorkerTimes } from '@chatbox/worker'
import { KEY } from './vendors.ts'

/** A question, what its vendor does, and what has to become of it. */
export interface GoldenCase {
  readonly name: string
  scripts(frames: Frames): readonly Script[]
  readonly ends: GoldenEnd
}

export interface GoldenEnd {
  readonly status: Exclude<AnswerStatus, 'pending'>
  readonly error?: ErrorCode
  readonly text: string
  readonly attempt: number
  /** Requests that its vendor got. */
  readonly calls: number
  /** The clock that ends it. */
  readonly limitMs?: number
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number }
}

/** What vendors say of an error: the log's alone. Nothing of it is in a question, or it would be masked as a quotation. */
export const VENDORS_WORDS = 'bad-day-at-the-vendor-9b2e'
/** What a model says: nobody's but the user's. */
export const ANSWERS_WORDS = 'words-of-the-answer-1c7d'

const never = new Promise<never>(() => undefined)
const MENDED = 'Hello again.'
const mended: Script = { steps: [{ say: MENDED }, { end: 'stop' }] }

const { tries, triesAfterText } = defaultWorkerBounds

/** Asked again as long as there are tries, and each time as bad (L2); after text each try is an attempt of its own (P6). */
function endOf({ code, retryable, text }: Pick<FaultCase, 'code' | 'retryable' | 'text'>): GoldenEnd {
  const failed = { status: 'failed', error: code, text } as const
  if (!retryable) return { ...failed, attempt: 1, calls: 1 }
  return text === ''
    ? { ...failed, attempt: 1, calls: tries }
    : { ...failed, attempt: triesAfterText, calls: triesAfterText }
}

const answers = ANSWERS.map(({ name, script, text, end, usage }): GoldenCase => {
  const withheld = end === 'filtered'
  return {
    name,
    scripts: () => [script],
    ends: {
      status: withheld ? 'failed' : 'done',
      ...(withheld && { error: 'provider_rejected' }),
      text,
      attempt: 1,
      calls: 1,
      ...(usage && { usage }),
    },
  }
})

const faults = FAULTS.map(
  (fault): GoldenCase => ({ name: fault.name, scripts: (frames) => [fault.script(frames)], ends: endOf(fault) }),
)

/** A faulty request, and a good one after it. */
const repeated = FAULTS.filter(({ retryable, name }) => retryable && !/10 MB/.test(name)).map(
  (fault): GoldenCase => ({
    name: `${fault.name}, once`,
    scripts: (frames) => [fault.script(frames), mended],
    ends: { status: 'done', text: MENDED, attempt: fault.text === '' ? 1 : 2, calls: 2 },
  }),
)

const TOLD: readonly Script[] = [{ steps: [{ say: ANSWERS_WORDS }, { end: 'stop' }] }]

const secrets = secretCases({ key: KEY, words: VENDORS_WORDS }).map(
  (fault): GoldenCase => ({
    name: `${fault.name}, with words that nobody may read`,
    scripts: (frames) => [fault.script(frames)],
    ends: endOf(fault),
  }),
)

const { firstTokenMs, idleMs } = defaultWorkerTimes
const late = (text: string, limitMs: number): GoldenEnd => ({
  ...{ status: 'failed', error: 'provider_timeout', text },
  ...{ attempt: 1, calls: 1, limitMs },
})
const patience = (name: string, script: Script, ends: GoldenEnd): GoldenCase => ({
  name,
  scripts: () => [script],
  ends,
})

const PINGS = Array.from({ length: 1_000 }, () => [{ noise: 'ping' }, { wait: 100 }] as const).flat()

/** What no adapter knows the end of by itself (L1), by the limits that everybody has. */
export const PATIENCE: readonly GoldenCase[] = [
  patience('a request that is never answered', { beforeHeaders: never }, late('', firstTokenMs)),
  patience('a stream that says nothing', { steps: [{ hang: true }] }, late('', firstTokenMs)),
  patience('a stream of nothing but pings', { steps: PINGS }, late('', firstTokenMs)),
  patience('a stream that falls silent', { steps: [{ say: 'So far' }, { hang: true }] }, late('So far', idleMs)),
]

/** What ends as soon as its vendor has done it. */
export const QUICK: readonly GoldenCase[] = [
  ...answers,
  ...faults,
  ...repeated,
  ...secrets,
  {
    name: 'an answer whose stream stays open behind the end mark',
    scripts: () => [{ steps: [{ say: 'All of it.' }, { end: 'stop' }, { hang: true }] }],
    ends: { status: 'done', text: 'All of it.', attempt: 1, calls: 1 },
  },
  {
    name: 'an answer of words that are the user’s alone',
    scripts: () => TOLD,
    ends: { status: 'done', text: ANSWERS_WORDS, attempt: 1, calls: 1 },
  },
]
