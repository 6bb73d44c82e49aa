import { type SealedConversations, sessionId } from '@chatbox/core'
import { columnsOf } from '../row.ts'
import type { Access } from './access.ts'
import { namesParams } from './session-row.ts'
import { withSuperseded } from './superseded.ts'
import type { SealedAnswer, SealedTurn } from './turn-row.ts'

type Keys = Pick<SealedConversations, 'changeKey' | 'keysInUse' | 'keyedBy' | 'resealTurn' | 'resealNames'>

/** What a rotation of keys asks of a database (R28). Each change is a compare-and-set on bytes, and leaves `rev` alone. */
export function keys({ statements, read, write }: Access): Keys {
  return {
    changeKey: (sid, from, to, key_id) =>
      write(() => statements.replaceKey.run({ sid, from_key: from, to_key: to, key_id }) === 1),

    keysInUse: () =>
      read(() => {
        const counted = statements.keysInUse.all().map((row): [string, number] => {
          const columns = columnsOf(row)
          return [columns.text('key_id'), columns.number('sessions')]
        })
        return new Map(counted)
      }),

    keyedBy: (key_id, limit, after = sessionId('')) =>
      read(() => statements.keyedBy.all({ key_id, limit, after }).map((row) => sessionId(columnsOf(row).text('sid')))),

    resealTurn: (from, to) =>
      write(() => {
        const { sid, seq } = from
        const row = statements.turnAt.one({ sid, seq })
        const stored = row && withSuperseded(statements, [row])[0]
        if (!stored || !sameValues(stored, from)) return false
        statements.resealTurn.run({ sid, seq, content: to.content, ...valuesOf(to.answer) })
        for (const answer of to.superseded) {
          statements.resealSuperseded.run({ sid, answer_id: answer.answerId, ...valuesOf(answer) })
        }
        return true
      }),

    resealNames: (sid, from, to) => {
      const [known, sealed] = [namesParams(from), namesParams(to)]
      return write(
        () =>
          statements.resealNames.run({
            ...{ sid, from_nm: known.nm, from_preview: known.preview },
            from_assisting_admin_name: known.assisting_admin_name,
            ...{ to_nm: sealed.nm, to_preview: sealed.preview },
            to_assisting_admin_name: sealed.assisting_admin_name,
          }) === 1,
      )
    },
  }
}

const valuesOf = (answer: SealedAnswer | undefined) => ({
  text: answer?.text ?? null,
  thread: answer?.thread ?? null,
  feedback_comment: answer?.feedback?.comment ?? null,
})

/** Also that there are no others: a value that has come since was perhaps sealed as the one before was. */
function sameValues(one: SealedTurn, other: SealedTurn): boolean {
  const [some, others] = [answersOf(one), answersOf(other)]
  return (
    sameBytes(one.content, other.content) &&
    some.length === others.length &&
    some.every((answer, i) => {
      const twin = others[i]
      return (
        answer.answerId === twin?.answerId &&
        sameBytes(answer.text, twin.text) &&
        sameBytes(answer.thread, twin.thread) &&
        sameBytes(answer.feedback?.comment, twin.feedback?.comment)
      )
    })
  )
}

const answersOf = ({ answer, superseded }: SealedTurn): readonly SealedAnswer[] =>
  answer ? [...superseded, answer] : superseded

const sameBytes = (one: Uint8Array | undefined, other: Uint8Array | undefined): boolean =>
  one === undefined || other === undefined ? one === other : Buffer.from(one).equals(other)
