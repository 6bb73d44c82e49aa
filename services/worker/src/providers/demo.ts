import { estimateTokens, TOKENS_PER_MESSAGE } from '@chatbox/core'
import { createTimers, type Timers } from '@chatbox/runtime'
import { type Provider, ProviderFault, type ProviderRequest } from '../provider.ts'
import { answerTo } from './demo/answer.ts'
import { seeded } from './demo/seeded.ts'

export interface DemoOptions {
  /** The same pauses each time; random ones without it. */
  readonly seed?: number
  /** 1 is the pace of somebody who types fast; 0 is without any pause. */
  readonly pace?: number
  /** How it waits; a test gives its own, to count the time instead of spending it. */
  readonly sleep?: Timers['sleep']
}

/** Milliseconds at pace 1. */
const BEFORE_SPEAKING = { least: 250, spread: 250 }
const BETWEEN_WORDS = { least: 12, spread: 36 }
const AFTER_SENTENCES = { least: 60, spread: 80 }

const WORD = /\S+\s*|\s+/g
const END_OF_SENTENCE = /[.:!?]\s+$/

/**
 * A provider that needs no key and no network: it picks prepared answers about Chatbox by words in the question, so that
 * everything else can be tried. Some words make it behave badly on purpose; it says which when it is asked.
 */
export function demoProvider({ seed, pace = 1, sleep = createTimers().sleep }: DemoOptions = {}): Provider {
  const random = seed === undefined ? Math.random : seeded(seed)
  const pause = async ({ least, spread }: typeof BETWEEN_WORDS, times: number, signal: AbortSignal) => {
    const ms = pace * times * (least + random() * spread)
    if (ms > 0) await sleep(ms, signal)
    signal.throwIfAborted()
  }

  return {
    name: 'demo',
    async *stream(request, signal) {
      signal.throwIfAborted()
      const answer = answerTo(request.messages)
      await pause(BEFORE_SPEAKING, 1, signal)
      if (answer.trouble === 'refuse') {
        throw new ProviderFault('provider_rejected', 'the demo provider was asked to refuse')
      }
      if (answer.trouble === 'hang') await aborted(signal)

      let said = ''
      for (const [word] of answer.text.matchAll(WORD)) {
        if (request.maxTokens !== undefined && estimateTokens(said + word) > request.maxTokens) break
        yield { type: 'text', text: word }
        said += word
        await pause(BETWEEN_WORDS, answer.times, signal)
        if (END_OF_SENTENCE.test(word)) await pause(AFTER_SENTENCES, answer.times, signal)
      }
      if (answer.trouble === 'fail') {
        // Not worth a second try: it would fail again, and the point is to be seen.
        throw new ProviderFault('provider_error', 'the demo provider was asked to fail')
      }
      yield { type: 'usage', inputTokens: tokensOf(request), outputTokens: estimateTokens(said) }
      yield { type: 'end', reason: said.length < answer.text.length ? 'length' : 'stop' }
    },
  }
}

const tokensOf = ({ system = '', messages }: ProviderRequest): number =>
  messages.reduce((sum, { text }) => sum + estimateTokens(text) + TOKENS_PER_MESSAGE, estimateTokens(system))

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const stop = () => reject(signal.reason)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
