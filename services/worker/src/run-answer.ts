import { endIn, type Job } from '@chatbox/core'
import { logError } from '@chatbox/runtime'
import { type Answering, Left, Stopped } from './answering.ts'
import { ask, type Heard } from './ask.ts'
import { type Attempt, claim, nextAttempt, openRecord } from './begin.ts'
import {
  CANCELLED,
  done,
  endSpeech,
  endUnspoken,
  type Facts,
  failed,
  sendEnd,
  sendHandback,
  type Verdict,
} from './end.ts'
import { ModelAway } from './gate.ts'
import { noteEnd, noteWait } from './note.ts'
import { buildPrompt, isCut, type Prompt } from './prompt.ts'
import { type Model, ProviderFault } from './provider.ts'
import { planRetry } from './retries.ts'
import { openSpeech, type Speech } from './speech.ts'
import { type UsageTally, usageTally } from './usage.ts'
import { withoutWords } from './without-words.ts'
import { insist, pause, type Work } from './work.ts'

/** One job, from its turn to its end. Rejects with `Left` when somebody else will see to the end. */
export async function runAnswer(work: Work, answering: Answering, job: Job): Promise<void> {
  const claimed = await claim(work, answering, job)
  switch (claimed.kind) {
    case 'none':
      return
    case 'ended-before': {
      const { turn, ref, attempt, body } = claimed
      return sendEnd(work, answering, turn, ref, attempt, endIn({ body }))
    }
    case 'cancelled':
    case 'crashed-too-often': {
      const verdict = claimed.kind === 'cancelled' ? CANCELLED : failed('answer_lost')
      const end = await endUnspoken(work, answering, claimed.attempt, verdict)
      return noteEnd(work, claimed.attempt, end)
    }
    case 'begun':
      return answer(work, answering, claimed.attempt)
  }
}

/** An answer that is being produced. A new attempt puts a new speech in the place of the old one. */
interface Production {
  speech: Speech
  /** The one that answers in place of the one that was asked, while that is away. */
  instead: string | undefined
  /** The model was told less than was said. */
  cut: boolean
  readonly usage: UsageTally
  readonly begun: number
}

async function answer(work: Work, answering: Answering, attempt: Attempt): Promise<void> {
  noteWait(work, attempt)
  const production: Production = {
    speech: openSpeech(work, answering, attempt),
    instead: undefined,
    cut: false,
    usage: usageTally(),
    begun: performance.now(),
  }
  const overall = setTimeout(() => answering.stop('timeout'), work.times.totalMs)
  try {
    const verdict = await produce(work, answering, production)
    answering.phase = 'ending'
    const { speech, begun } = production
    if (verdict === 'handback') {
      speech.drop()
      await speech.calm()
      return await sendHandback(work, answering, speech.attempt)
    }
    const end = await endSpeech(work, answering, speech, verdict, factsOf(production))
    noteEnd(work, speech.attempt, end, begun)
  } finally {
    clearTimeout(overall)
    production.speech.drop()
  }
}

const factsOf = ({ usage, instead, cut }: Production): Facts => ({
  usage: usage.total(),
  modelId: instead,
  notices: [...(cut ? (['context_trimmed'] as const) : []), ...(instead ? (['model_fallback'] as const) : [])],
})

/** Asks until there is an answer, or a reason to have none. */
async function produce(work: Work, answering: Answering, production: Production): Promise<Verdict | 'handback'> {
  try {
    answering.stopped.throwIfAborted()
    const chosen = work.models.get(production.speech.attempt.answer.modelId)
    // It was taken out of the configuration while the question waited.
    if (!chosen) return failed('not_supported')
    let model = chosen
    let prompt = await promptFor(work, answering, model, production.speech.attempt)
    for (let tries = 1; ; tries++) {
      production.cut = isCut(prompt)
      const fault = await ask(work, answering, production, model, prompt)
      if (!(fault instanceof ProviderFault)) {
        production.cut = isCut(prompt, fault)
        return verdictOn(fault)
      }
      const other = fault instanceof ModelAway ? fallbackOf(work, production, model) : undefined
      if (other) {
        model = other
        // The provider's own conversation was with the model that is away.
        prompt = { ...(await promptFor(work, answering, model, production.speech.attempt)), thread: undefined }
        tries = 0
        continue
      }
      // It may have left something behind in the provider's own conversation.
      prompt = { ...prompt, thread: undefined }
      const { provider } = model
      const { ref, number, answer: asked } = production.speech.attempt
      const spoke = answering.phase === 'speaking'
      const remainingMs = production.begun + work.times.totalMs - performance.now()
      const plan = planRetry(fault, { tries, spoke, faults: asked.faults, remainingMs }, work.times, work.bounds)
      work.metrics.faults.inc({ provider: provider.name, code: fault.code })
      // Of several models of one provider it may be one's key or address that is wrong.
      const asking = { modelId: production.instead ?? asked.modelId, provider: provider.name }
      const fields = { sid: ref.sid, answerId: ref.answerId, attempt: number, ...asking, tries, spoke }
      work.log.warn(
        { ...fields, ...faultFields(fault, prompt, production.speech), plan: plan.kind },
        'a provider failed',
      )
      if (plan.kind === 'fail') return failed(fault.code)

      work.metrics.retries.inc({ provider: provider.name, after_text: String(spoke) })
      await pause(plan.waitMs, answering.stopped)
      if (plan.kind === 'ask-again') continue
      const ending = await beginAgain(work, answering, production)
      if (ending) return ending
      tries = 0
    }
  } catch (error) {
    if (error instanceof Stopped) return verdictOf(error)
    if (error instanceof Left) throw error
    // A defect of ours, or a text that does not open: asking again would not help, and silence would be worse.
    const { sid, answerId } = production.speech.attempt.ref
    work.log.error({ err: error, sid, answerId }, 'an answer could not be produced')
    return failed('internal')
  }
}

/** Who answers in its place, which is said in the answer. Nobody answers for the one that does so already. */
function fallbackOf(work: Work, production: Production, away: Model): Model | undefined {
  const { fallback } = away
  if (fallback === undefined || production.instead !== undefined) return undefined
  const other = work.models.get(fallback)
  if (!other) return undefined
  production.instead = fallback
  const { ref, answer } = production.speech.attempt
  work.metrics.fallbacks.inc({ model: answer.modelId, fallback })
  work.log.warn({ sid: ref.sid, answerId: ref.answerId, modelId: answer.modelId, fallback }, 'another model answers')
  return other
}

/** A fault that an adapter names says all by its code and sentence; where in the adapter it was made is of no use to anybody. */
function faultFields(fault: ProviderFault, prompt: Prompt, speech: Speech): object {
  const { code, message, causes } = logError(fault)
  const said = [...prompt.messages.map(({ text }) => text), speech.said]
  return { code, why: withoutWords(message, said), ...(causes && { causes }) }
}

const verdictOn = ({ reason, thread }: Heard): Verdict =>
  reason === 'filtered' ? failed('provider_rejected') : done(thread)

function verdictOf({ reason }: Stopped): Verdict | 'handback' {
  switch (reason) {
    case 'cancelled':
      return CANCELLED
    case 'timeout':
      return failed('provider_timeout')
    case 'full':
      return failed('provider_error')
    case 'handback':
      return 'handback'
  }
}

async function promptFor(
  work: Work,
  answering: Answering,
  model: Model,
  { turn, answer: asked }: Attempt,
): Promise<Prompt> {
  const prompt = await insist(work, 'read history', answering.left, () => buildPrompt(work.conversations, turn, model))
  if (prompt.trimmed) work.metrics.trimmed.inc({ model: asked.modelId })
  return prompt
}

/** What was shown is taken back, and the answer starts anew under a higher attempt (P6). */
async function beginAgain(work: Work, answering: Answering, production: Production): Promise<Verdict | undefined> {
  const { speech } = production
  // Its record may just be written again: two of our own attempts must not race each other.
  speech.drop()
  await speech.calm()
  const { ref, number } = speech.attempt
  const next = await nextAttempt(work, answering, ref, number, 'fault')
  if (!next) throw new Left('superseded')
  if (!(await openRecord(work, answering, next))) throw new Left('superseded')
  production.speech = openSpeech(work, answering, next)
  answering.phase = 'waiting'
  return next.answer.cancelAt === undefined ? undefined : CANCELLED
}
