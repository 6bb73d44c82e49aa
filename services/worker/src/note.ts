import type { AnswerEnd } from '@chatbox/core'
import type { Attempt } from './begin.ts'
import type { Work } from './work.ts'

/** The clock of an answer starts when its turn comes; `due` was set from it (R17). */
export function noteWait({ metrics, clock, answerLimits }: Work, { number, answer: { due } }: Attempt): void {
  if (number !== 1 || due === undefined) return
  const since = due - answerLimits.maxQueueMs - answerLimits.totalMs
  metrics.queueWait.observe(Math.max(0, clock.now() - since) / 1000)
}

export function noteEnd(work: Work, { answer: asked, ref, number }: Attempt, end: AnswerEnd, begun?: number): void {
  const { status, error = '', usage, modelId = asked.modelId } = end
  work.metrics.ended.inc({ model: modelId, status, code: error })
  if (begun !== undefined) work.metrics.took.observe({ model: modelId, status }, (performance.now() - begun) / 1000)
  if (usage) {
    const estimated = String(usage.estimated)
    work.metrics.tokens.inc({ model: modelId, direction: 'in', estimated }, usage.inputTokens)
    work.metrics.tokens.inc({ model: modelId, direction: 'out', estimated }, usage.outputTokens)
  }
  const { sid, answerId } = ref
  const level = status === 'failed' ? 'warn' : 'info'
  work.log[level]({ sid, answerId, attempt: number, modelId, status, code: error, ...usage }, 'an answer ended')
}
