import type { AnswerId, BeginCause, SealedBegun, SealedConversations, SessionId } from '@chatbox/core'
import { type Access, findOne } from '../access.ts'
import { within } from '../attempts.ts'
import { newMark } from '../documents/session.ts'
import { answerDocument, feedbackDocument, resultDocument, tokensOf, turnOf } from '../documents/turn.ts'
import { hintOf, queries } from '../queries.ts'
import { number, storable, text } from '../values.ts'
import type { ChangeTurn } from './turn-changes.ts'
import type { RowByAnswer } from './turns.ts'

type Answers = Pick<
  SealedConversations,
  'beginAttempt' | 'endAnswer' | 'changePending' | 'supersede' | 'rateAnswer' | 'settle'
>

/** What the end of the attempt before counts as (R13). */
const counted: Readonly<Record<BeginCause, 'faults' | 'handbacks' | undefined>> = {
  fresh: undefined,
  fault: 'faults',
  gone: 'handbacks',
}

export interface AnswersOptions {
  readonly session: SealedConversations['session']
  readonly rowByAnswer: RowByAnswer
  readonly change: ChangeTurn
}

/** Every change of an answer is one compare-and-set on its row (R12), which leaves its mark there. */
export function answers(access: Access, { session, rowByAnswer, change }: AnswersOptions): Answers {
  const { attempt, collections, limited, settings } = access

  async function begin(
    sid: SessionId,
    answerId: AnswerId,
    from: number,
    cause: BeginCause,
  ): Promise<SealedBegun | undefined> {
    const mark = newMark()
    const counts = counted[cause]
    const begun = await change({
      target: { sid, answerId },
      query: queries.pendingAnswer(sid, answerId, { attempt: from }),
      update: {
        $set: { 'answer.attempt': number(from) + 1, 'answer.beginOp': mark },
        ...(counts && { $inc: { [`answer.${counts}`]: 1 } }),
      },
      mark,
    })
    if (!begun) return undefined
    const [row, owner] = await Promise.all([rowByAnswer({ sid, answerId }), session(sid)])
    // Since then it may have ended, or somebody may have begun the next attempt: then this one is over.
    if (!row || !owner || row.answer.status !== 'pending' || !mark.equals(row.answer.beginOp)) return undefined
    return { turn: turnOf(row), session: owner }
  }

  return {
    beginAttempt: (sid, answerId, from, cause) =>
      within(settings.answerMs, 'begin an attempt', begin(sid, answerId, from, cause)),

    endAnswer(sid, answerId, end, of) {
      const mark = newMark()
      const { status, endedAt, modelId } = end
      return change({
        target: { sid, answerId },
        query: queries.pendingAnswer(sid, answerId, of === undefined ? {} : { attempt: of }),
        update: {
          $set: inAnswer({
            status,
            endedAt,
            ...(modelId !== undefined && { modelId }),
            ...resultDocument(end),
            endOp: mark,
          }),
          // Of one row, under the same compare-and-set: an end counts once, however often it is told (R3).
          ...(end.usage && { $inc: { tokens: tokensOf(end), ...(end.usage.cost && { cost: end.usage.cost }) } }),
        },
        mark,
      })
    },

    changePending(sid, answerId, expected, { due, cancelAt, n, handbacks }) {
      const mark = newMark()
      return change({
        target: { sid, answerId },
        query: queries.pendingAnswer(sid, answerId, { n: expected.n }),
        update: { $set: inAnswer({ due, cancelAt, n, handbacks, changeOp: mark }) },
        mark,
      })
    },

    supersede(sid, seq, old, answer) {
      const placeOp = newMark()
      text(old)
      const next = { ...storable(answerDocument(answer)), placeOp }
      return attempt('supersede an answer', async () => {
        const query = queries.endedAnswer(sid, seq, old)
        const { matchedCount } = await collections.messages.updateOne(
          query.filter,
          [
            {
              $set: {
                superseded: { $concatArrays: [{ $ifNull: ['$superseded', []] }, ['$answer']] },
                // A literal, because texts and keys of a pipeline are read as expressions.
                answer: { $literal: next },
                unsettled: true,
              },
            },
          ],
          { ...hintOf(query), ...limited },
        )
        if (matchedCount === 1) return true
        const row = await findOne(access, queries.turnAt(sid, seq), { projection: { 'answer.placeOp': 1 } })
        return placeOp.equals(row?.answer?.placeOp)
      })
    },

    rateAnswer(sid, answerId, feedback) {
      const mark = newMark()
      return change({
        target: { sid, answerId },
        query: queries.doneAnswer(sid, answerId),
        update: feedback
          ? { $set: inAnswer({ feedback: feedbackDocument(feedback), rateOp: mark }) }
          : { $set: inAnswer({ rateOp: mark }), $unset: { 'answer.feedback': '' } },
        mark,
      })
    },

    async settle(sid, seq, answerId) {
      await change({
        target: { sid, seq },
        query: queries.unsettledAt(sid, seq, answerId),
        update: { $unset: { unsettled: '' } },
      })
    },
  }
}

/** Those that there are, as fields of the answer of a row. */
const inAnswer = (fields: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[`answer.${name}`, value]])),
  )
