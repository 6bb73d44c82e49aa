import type { AnswerId, BeginCause, SealedBegun, SealedConversations, SessionId } from '@chatbox/core'
import { type Access, findOne } from '../access.ts'
import { within } from '../attempts.ts'
import { newMark } from '../documents/session.ts'
import { answerDocument, resultDocument, tokensOf, turnOf } from '../documents/turn.ts'
import { hintOf, queries } from '../queries.ts'
import { number, storable, text } from '../values.ts'
import { changes } from './changes.ts'

type Answers = Pick<SealedConversations, 'beginAttempt' | 'endAnswer' | 'changePending' | 'supersede'>

interface AnswerTarget {
  readonly sid: SessionId
  readonly answerId: AnswerId
}

/** What the end of the attempt before counts as (R13). */
const counted: Readonly<Record<BeginCause, 'faults' | 'handbacks' | undefined>> = {
  fresh: undefined,
  fault: 'faults',
  gone: 'handbacks',
}

/** Every change of an answer is one compare-and-set on its row (R12), which leaves its mark there. */
export function answers(access: Access, session: SealedConversations['session']): Answers {
  const { attempt, collections, limited, settings } = access

  const change = changes<AnswerTarget>(access, {
    what: 'change an answer',
    collection: 'messages',
    keyOf: ({ sid }) => sid,
    rows: (targets) =>
      queries.turnsByAnswers(
        targets.map(({ sid }) => sid),
        targets.map(({ answerId }) => answerId),
      ),
    projection: { 'answer.beginOp': 1, 'answer.changeOp': 1, 'answer.endOp': 1 },
    marksOf: ({ answer }) => [answer?.beginOp, answer?.changeOp, answer?.endOp],
  })

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
    const [row, owner] = await Promise.all([
      attempt('read a turn', () => findOne(access, queries.turnByAnswer(sid, answerId))),
      session(sid),
    ])
    // Since then it may have ended, or somebody may have begun the next attempt: then this one is over.
    if (!row || !owner || row.answer.status !== 'pending' || !mark.equals(row.answer.beginOp)) return undefined
    return { turn: turnOf(row), session: owner }
  }

  return {
    beginAttempt: (sid, answerId, from, cause) =>
      within(settings.answerMs, 'begin an attempt', begin(sid, answerId, from, cause)),

    endAnswer(sid, answerId, end, of) {
      const mark = newMark()
      const { status, endedAt } = end
      const result = Object.entries({ status, endedAt, ...resultDocument(end), endOp: mark })
      return change({
        target: { sid, answerId },
        query: queries.pendingAnswer(sid, answerId, of === undefined ? {} : { attempt: of }),
        update: {
          $set: Object.fromEntries(result.map(([name, value]) => [`answer.${name}`, value])),
          // Of one row, under the same compare-and-set: an end counts once, however often it is told (R3).
          ...(end.usage && { $inc: { tokens: tokensOf(end) } }),
        },
        mark,
      })
    },

    changePending(sid, answerId, expected, to) {
      const mark = newMark()
      const { due, cancelAt, n, handbacks } = to
      const set = Object.entries({ due, cancelAt, n, handbacks }).filter(([, value]) => value !== undefined)
      return change({
        target: { sid, answerId },
        query: queries.pendingAnswer(sid, answerId, { n: expected.n }),
        update: {
          $set: {
            ...Object.fromEntries(set.map(([name, value]) => [`answer.${name}`, value])),
            'answer.changeOp': mark,
          },
        },
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
  }
}
