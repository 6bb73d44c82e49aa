import type { PromptMessage } from '../../provider.ts'
import { GUIDE } from './guide.ts'
import { asksForMemory, remember } from './memory.ts'
import { CODE, FAILING, FORMATTING } from './samples.ts'
import { OTHERWISE, SLOWLY, topicFor } from './topics.ts'

export interface DemoAnswer {
  readonly text: string
  /** How many times as long as usual its pauses are. */
  readonly times: number
  /** What happens in place of a good end. */
  readonly trouble?: 'fail' | 'hang' | 'refuse'
}

const SLOW = 6
/** The guide is so long that it would run into the time limit of an answer at the full slowness. */
const SLOW_GUIDE = 2

/** What is said to a question, chosen by the words in it. */
export function answerTo(messages: readonly PromptMessage[]): DemoAnswer {
  const question = messages.at(-1)?.text.toLowerCase() ?? ''
  const has = (word: string) => new RegExp(`\\b${word}\\b`).test(question)
  const slow = has('slow') || has('slowly')
  const times = slow ? SLOW : 1

  if (has('hang')) return { text: '', times, trouble: 'hang' }
  if (has('refuse')) return { text: '', times, trouble: 'refuse' }
  if (has('fail')) return { text: FAILING, times, trouble: 'fail' }
  // "How long does it take?" is a question, and no wish.
  if (has('long') && !/\bhow long\b/.test(question)) return { text: GUIDE, times: slow ? SLOW_GUIDE : 1 }
  if (has('code')) return { text: CODE, times }
  if (has('table') || has('markdown')) return { text: FORMATTING, times }
  if (asksForMemory(question)) return { text: remember(messages), times }
  return { text: topicFor(question) ?? (slow ? SLOWLY : OTHERWISE), times }
}
