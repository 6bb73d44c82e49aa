import type { BeginCause, SealedBegun, SealedConversations } from '@chatbox/core'
import type { Access } from './access.ts'
import { sessionOf } from './session-row.ts'
import { withSuperseded } from './superseded.ts'
import { answerParams, feedbackParams, resultParams } from './turn-row.ts'

type Answers = Pick<
  SealedConversations,
  'beginAttempt' | 'endAnswer' | 'changePending' | 'supersede' | 'rateAnswer' | 'settle'
>

/** What the end of the attempt before counts as (R13). */
const counted: Readonly<Record<BeginCause, { faults: number; handbacks: number }>> = {
  fresh: { faults: 0, handbacks: 0 },
  fault: { faults: 1, handbacks: 0 },
  gone: { faults: 0, handbacks: 1 },
}

/** Every change of an answer is one compare-and-set (R12). */
export function answers({ statements, write }: Access): Answers {
  return {
    beginAttempt: (sid, answer_id, from, cause) =>
      write((): SealedBegun | undefined => {
        const began = statements.beginAttempt.run({ sid, answer_id, from_attempt: from, ...counted[cause] })
        const row = began === 1 ? statements.turnByAnswer.one({ sid, answer_id }) : undefined
        const session = row && statements.sessionById.one({ sid })
        const turn = row && withSuperseded(statements, [row])[0]
        return turn && session && { turn, session: sessionOf(session) }
      }),

    endAnswer: (sid, answer_id, end, attempt) =>
      write(() => {
        const { status, text, thread = null, modelId = null, endedAt } = end
        const expected = { sid, answer_id, attempt: attempt ?? null }
        const said = { status, text, thread, model_id: modelId, ended_at: endedAt }
        return statements.endAnswer.run({ ...expected, ...said, ...resultParams(end) }) === 1
      }),

    changePending: (sid, answer_id, expected, { due = null, cancelAt = null, n = null, handbacks = null }) =>
      write(
        () =>
          statements.changePending.run({
            ...{ sid, answer_id, expected_n: expected.n },
            ...{ due, cancel_at: cancelAt, n, handbacks },
          }) === 1,
      ),

    supersede: (sid, seq, old, answer) =>
      write(() => {
        if (statements.keepSuperseded.run({ sid, seq, old }) === 0) return false
        return statements.replaceAnswer.run({ sid, seq, ...answerParams(answer) }) === 1
      }),

    rateAnswer: (sid, answer_id, feedback) =>
      write(() => statements.rateAnswer.run({ sid, answer_id, ...feedbackParams(feedback) }) === 1),

    settle: (sid, seq, answerId) => write(() => void statements.settle.run({ sid, seq, answer_id: answerId ?? null })),
  }
}
