import type { Script, Step } from '../script.ts'

/** An answer that comes to its end mark, however it comes. */
export interface AnswerCase {
  readonly name: string
  readonly script: Script
  readonly text: string
  readonly end: 'stop' | 'length' | 'filtered'
  /** What the vendor tells of it. */
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number }
}

const says = (...texts: readonly string[]): Step[] => texts.map((say) => ({ say }))

const NOISE: readonly Step[] = [{ noise: 'comment' }, { noise: 'ping' }, { noise: 'unknown-event' }]

const MARKS = 'data: [DONE]\n\nevent: error\ndata: {"error":{"message":"no"}}\r\n\r\n: comment\n\n\u2028\0'

const [HIGH = '', LOW = ''] = '🙂'.split('')

const PIECE = 'ünd so wäiter 🙂 '.repeat(5)
const PIECES = Array.from({ length: 1_000 }, () => PIECE)

type Steps = readonly Step[]

const whole = (name: string, steps: Steps, text: string, more: Omit<Script, 'steps'> = {}): AnswerCase => ({
  name,
  script: { ...more, steps: [...steps, { end: 'stop' }] },
  text,
  end: 'stop',
})

const noisy = (name: string, more: Omit<Script, 'steps'>) =>
  whole(name, [...NOISE, ...says('One'), ...NOISE, ...says(' two'), ...NOISE], 'One two', more)

const ended = (end: AnswerCase['end']): AnswerCase => ({
  name: `an answer whose end is: ${end}`,
  script: { steps: [...says('So far'), { end }] },
  text: 'So far',
  end,
})

/** What every way to a model has to bring whole, whoever the vendor is. */
export const ANSWERS: readonly AnswerCase[] = [
  {
    ...whole(
      'an answer in pieces, with its usage',
      [...says('Hel', 'lo', ' there.'), { usage: { input: 12, output: 5 } }],
      'Hello there.',
    ),
    usage: { inputTokens: 12, outputTokens: 5 },
  },
  ...(['stop', 'length', 'filtered'] as const).map(ended),
  whole('an answer without a word', [], ''),
  whole(
    'an answer of which each byte comes by itself, its lines ending in CRLF',
    says('é👩‍👩‍👧', '漢字'),
    'é👩‍👩‍👧漢字',
    {
      cutAt: 1,
      newline: '\r\n',
    },
  ),
  noisy('an answer between comments, pings and events that nobody knows', {}),
  noisy('the same with CRLF', { newline: '\r\n' }),
  noisy('the same in parts of seven bytes', { cutAt: 7 }),
  whole("an answer of words that look like the protocol's marks", says(MARKS, MARKS), MARKS + MARKS),
  whole('a character whose halves come in two pieces', says(`a${HIGH}`, `${LOW}b`), 'a🙂b'),
  whole('100 KB in a thousand pieces', says(...PIECES), PIECES.join('')),
  whole('100 KB in one piece', says(PIECES.join('')), PIECES.join('')),
  whole(
    'a slow drip',
    Array.from('drop by drop').flatMap((say): Step[] => [{ say }, { wait: 15 }]),
    'drop by drop',
    { cutAt: 50, beforeHeaders: 30 },
  ),
  {
    name: 'an answer whose connection breaks behind the end mark',
    script: { steps: [...says('All of it.'), { end: 'stop' }, { wait: 20 }, { cut: true }] },
    text: 'All of it.',
    end: 'stop',
  },
]
