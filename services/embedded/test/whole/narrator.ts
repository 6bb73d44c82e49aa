import {
  type FakeCall,
  type FakeProvider,
  type FakeRequest,
  type Step,
  startFakeAnthropic,
  startFakeDify,
  startFakeOpenAI,
} from '@chatbox/testkit/providers'

export const VENDORS = ['openai', 'anthropic', 'dify'] as const
export type Vendor = (typeof VENDORS)[number]

/** One request for the answer of a question. */
export interface Told {
  readonly question: string
  /** Which request for this question it is, from 1. */
  readonly nth: number
  /** The worker that asked, by the key that it was given. */
  readonly worker: string
  /** Everything that is said, if nobody hangs up: no other request's text begins like it. */
  readonly text: string
  /** The text of so many pieces. */
  upTo(pieces: number): string
  readonly closed: FakeCall['closed']
}

/** How a request is answered. */
export interface Telling {
  readonly pieces: number
  /** After so many pieces it waits for `release`. */
  readonly holdAt?: number
  /** Between two pieces. */
  readonly paceMs?: number
  /** How long each piece is at least. */
  readonly pieceLength?: number
}

export interface Narrator {
  /** What edges, storage and workers have to be told. */
  readonly models: string
  /** What a worker has to be told, so that its requests are known by its name. */
  keysOf(worker: string): NodeJS.ProcessEnv
  /** The requests for a question, the oldest first. */
  told(question: string): readonly Told[]
  /** Goes on with a request that waits. */
  release(told: Told): void
  stop(): Promise<void>
}

/** A question has its name in it, so that the vendors know what they are asked. */
export const questionOf = (name: string): string => `Question ${name}?`

/** Servers of all vendors that tell something else at each request, and say who asked. */
export async function startNarrator(
  plan: (asked: Pick<Told, 'question' | 'nth' | 'worker'>) => Telling,
): Promise<Narrator> {
  const fakes = { openai: await startFakeOpenAI(), anthropic: await startFakeAnthropic(), dify: await startFakeDify() }
  const told = new Map<string, Told[]>()
  const gates = new Map<Told, () => void>()

  function tell(fake: FakeProvider, request: FakeRequest) {
    const question = lastQuestion(request)
    const earlier = told.get(question) ?? []
    const asked = { question, nth: earlier.length + 1, worker: workerOf(request) }
    const { pieces: count, holdAt, paceMs, pieceLength = 0 } = plan(asked)
    const pieces = Array.from({ length: count }, (_, i) =>
      `<${question}, ${asked.nth}: ${i}> `.padEnd(pieceLength, '.'),
    )
    // The fake notes a request before it asks what to answer.
    const call = fake.calls.at(-1)
    if (!call) throw new Error('a request was not noted')
    const one: Told = {
      ...asked,
      text: pieces.join(''),
      upTo: (piece) => pieces.slice(0, piece).join(''),
      closed: call.closed,
    }
    told.set(question, [...earlier, one])
    const gate = new Promise<void>((open) => gates.set(one, open))
    const hold = (i: number): Step[] => (i === holdAt ? [{ wait: gate }] : [])
    const steps = pieces.flatMap((say, i): Step[] => [
      ...hold(i),
      ...(paceMs !== undefined ? [{ wait: paceMs }] : []),
      { say },
    ])
    return { steps: [...steps, ...hold(count), { usage: { input: 10, output: count } }, { end: 'stop' as const }] }
  }

  for (const fake of Object.values(fakes)) fake.always((request) => tell(fake, request))
  return {
    models: JSON.stringify([
      { id: 'openai', label: 'OpenAI', provider: 'openai', model: 'gpt-4.1-mini' },
      { id: 'anthropic', label: 'Anthropic', provider: 'anthropic', model: 'claude-haiku-4-5' },
      { id: 'dify', label: 'Dify', provider: 'dify' },
    ]),
    keysOf: (worker) => ({
      OPENAI_BASE_URL: `${fakes.openai.url}/v1`,
      ANTHROPIC_BASE_URL: fakes.anthropic.url,
      DIFY_BASE_URL: `${fakes.dify.url}/v1`,
      OPENAI_API_KEY: keyOf(worker),
      ANTHROPIC_API_KEY: keyOf(worker),
      DIFY_API_KEY: keyOf(worker),
    }),
    told: (question) => told.get(question) ?? [],
    release: (one) => gates.get(one)?.(),
    async stop() {
      await Promise.all(Object.values(fakes).map((fake) => fake.stop()))
    },
  }
}

const keyOf = (worker: string): string => `key-of-${worker}`

function workerOf({ headers }: FakeRequest): string {
  const said = `${headers.authorization ?? ''} ${headers['x-api-key'] ?? ''}`
  const [, worker] = /key-of-(\S+)/.exec(said) ?? []
  if (worker === undefined) throw new Error('nobody knows whose request this is')
  return worker
}

/** The history has earlier ones. */
function lastQuestion({ body }: FakeRequest): string {
  const name = [...JSON.stringify(body).matchAll(/Question (\S+)\?/g)].at(-1)?.[1]
  if (name === undefined) throw new Error('a request asks no question')
  return name
}
