import type { PromptMessage } from '../../provider.ts'
import { GUIDE } from './guide.ts'
import { asksForMemory, remember } from './memory.ts'
import { CODE, FAILING, FORMATTING } from './samples.ts'
import { topicFor } from './topics.ts'

export interface DemoAnswer {
  readonly text: string
  readonly slow: boolean
  /** What happens in place of a good end. */
  readonly trouble?: 'fail' | 'hang' | 'refuse'
}

/** What is said to a question, chosen by the words in it. */
export function answerTo(messages: readonly PromptMessage[]): DemoAnswer {
  const question = messages.at(-1)?.text.toLowerCase() ?? ''
  const has = (word: string) => new RegExp(`\\b${word}\\b`).test(question)
  const slow = has('slow') || has('slowly')

  if (has('hang')) return { text: '', slow, trouble: 'hang' }
  if (has('refuse')) return { text: '', slow, trouble: 'refuse' }
  if (has('fail')) return { text: FAILING, slow, trouble: 'fail' }
  // "How long does it take?" is a question, and no wish.
  if (has('long') && !/\bhow long\b/.test(question)) return { text: GUIDE, slow }
  if (has('code')) return { text: CODE, slow }
  if (has('table') || has('markdown')) return { text: FORMATTING, slow }
  if (asksForMemory(question)) return { text: remember(messages), slow }
  return { text: topicFor(question), slow }
}
