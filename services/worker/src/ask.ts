import { estimateTokens } from '@chatbox/core'
import { type Answering, Left, Stopped } from './answering.ts'
import type { Attempt } from './begin.ts'
import type { Visit } from './gate.ts'
import { listen } from './listen.ts'
import type { Prompt } from './prompt.ts'
import { type FinishReason, type Model, ProviderFault, type ProviderRequest } from './provider.ts'
import type { Speech } from './speech.ts'
import type { TokenCounts, UsageTally } from './usage.ts'
import type { Work } from './work.ts'

/** Where what a provider says goes. */
export interface Saying {
  readonly speech: Speech
  readonly usage: UsageTally
  /** The id of the model that is asked in the place of the one that was chosen. */
  readonly instead?: string | undefined
}

/** How a request came to its end mark. */
export interface Heard {
  readonly reason: FinishReason
  /** The provider's own conversation, where it keeps one. */
  readonly thread?: string
}

/** One request. Gives the fault if it was the provider's; rejects with the reason when the answer was stopped. */
export async function ask(
  work: Work,
  answering: Answering,
  { speech, usage, instead }: Saying,
  model: Model,
  prompt: Prompt,
): Promise<Heard | ProviderFault> {
  const entered = await enter(model, answering)
  if (entered instanceof ProviderFault) return entered
  const asked = performance.now()
  const told: { -readonly [K in keyof TokenCounts]?: number } = {}
  let said = ''
  let thread: string | undefined
  let outcome: Heard | ProviderFault | undefined
  try {
    for await (const event of listen(
      model.provider,
      requestOf(model, prompt, speech.attempt),
      work.times,
      answering.stopped,
    )) {
      switch (event.type) {
        case 'text':
          if (event.text === '') break
          if (said === '') {
            firstToken(work, answering, instead ?? speech.attempt.answer.modelId, asked)
            entered?.spoke()
          }
          said += event.text
          work.metrics.pieces.inc()
          speech.say(event.text)
          await speech.room()
          break
        case 'usage':
          if (event.inputTokens !== undefined) told.inputTokens = event.inputTokens
          if (event.outputTokens !== undefined) told.outputTokens = event.outputTokens
          break
        case 'thread':
          thread = event.id
          break
        case 'end':
          outcome = { reason: event.reason, ...(thread !== undefined && { thread }) }
      }
    }
    outcome ??= new ProviderFault('provider_error', 'the stream ended without an end mark', { retryable: true })
    return outcome
  } catch (error) {
    if (error instanceof Stopped || error instanceof Left) throw error
    outcome = faultOf(work, speech.attempt, error)
    return outcome
  } finally {
    entered?.leave(outcome instanceof ProviderFault ? outcome : outcome && 'answered')
    const refused = outcome instanceof ProviderFault && outcome.code !== 'provider_timeout' && said === ''
    // Who refuses to answer charges nothing, unless they say so; who is cut off while answering does.
    if (!refused || told.inputTokens !== undefined) {
      const whole = outcome !== undefined && !(outcome instanceof ProviderFault)
      usage.add(told, { inputTokens: prompt.tokens, outputTokens: estimateTokens(said) }, whole, model.price)
    }
  }
}

/** The time that is waited for a place is not the provider's. */
async function enter({ gate }: Model, { stopped }: Answering): Promise<Visit | ProviderFault | undefined> {
  try {
    return await gate?.enter(stopped)
  } catch (error) {
    if (error instanceof ProviderFault) return error
    throw error
  }
}

/** What is no fault of the provider's own making is a defect in its adapter: said in the log, and not repeated. */
function faultOf(work: Work, { ref: { sid, answerId } }: Attempt, error: unknown): ProviderFault {
  if (error instanceof ProviderFault) return error
  work.log.error({ err: error, sid, answerId }, 'a provider threw what it should not')
  return new ProviderFault('provider_error', 'something unexpected was thrown', { cause: error })
}

function requestOf(
  { name, systemPrompt, maxTokens, temperature }: Model,
  { messages, thread }: Prompt,
  { ref }: Attempt,
): ProviderRequest {
  return {
    model: name,
    messages,
    session: ref.sid,
    ...(thread && { thread }),
    ...(systemPrompt !== undefined && { system: systemPrompt }),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(temperature !== undefined && { temperature }),
  }
}

function firstToken(work: Work, answering: Answering, model: string, asked: number): void {
  answering.phase = 'speaking'
  work.metrics.firstToken.observe({ model }, (performance.now() - asked) / 1000)
}
