import type { SpokenView } from '@chatbox/protocol'
import { type AnswerEntry, isAnswer, type Model, outgoingOf, sessionOf } from '../store/model.ts'
import { type AnswerShown, answerItem } from './answer-item.ts'
import type { Item } from './keyed.ts'
import { type MessageActions, type MessageShown, messageItem } from './message-item.ts'

export type Shown = { readonly key: string } & (
  | ({ readonly kind: 'message' } & MessageShown)
  | ({ readonly kind: 'answer' } & AnswerShown)
)

export interface ItemActions extends MessageActions {
  again(question: SpokenView): void
  say(text: string): void
}

/** What stands in the log, top to bottom. An item that says the same as before is the same object. */
export function createItems(actions: ItemActions): (model: Model) => readonly Shown[] {
  let before: ReadonlyMap<string, Shown> = new Map()

  return (model) => {
    const items = [...entriesOf(model, actions), ...waiting(model)].map((item) => {
      const old = before.get(item.key)
      return old && isSame(old, item) ? old : item
    })
    before = new Map(items.map((item) => [item.key, item]))
    return items
  }
}

function entriesOf(model: Model, actions: ItemActions): Shown[] {
  const { open, models } = model
  const goesOn = sessionOf(model, open.sid)?.endedAt === undefined
  return open.entries.map((entry, index): Shown => {
    if (!isAnswer(entry)) return { kind: 'message', key: keyOf(entry.clientMessageId, entry.seq), message: entry }
    const question = open.entries[index - 1]
    const isLast = index === open.entries.length - 1
    const canAsk = isLast && goesOn && mayBeAnotherOne(entry) && question && !isAnswer(question)
    return {
      kind: 'answer',
      key: `answer ${entry.answerId}`,
      answer: entry,
      models,
      ...(canAsk && { again: () => actions.again(question) }),
    }
  })
}

/** A question that the model refused would be refused again. */
const mayBeAnotherOne = ({ status, error }: AnswerEntry): boolean =>
  status !== 'pending' && (status !== 'failed' || error?.retryable === true)

const waiting = (model: Model): Shown[] =>
  outgoingOf(model).map((outgoing) => ({ kind: 'message', key: keyOf(outgoing.clientMessageId, 0), outgoing }))

const keyOf = (clientMessageId: string | undefined, seq: number): string =>
  clientMessageId === undefined ? `message ${seq}` : `sent ${clientMessageId}`

function isSame(a: Shown, b: Shown): boolean {
  if (a.kind === 'answer' && b.kind === 'answer') {
    return a.answer === b.answer && a.models === b.models && !a.again === !b.again
  }
  if (a.kind === 'answer' || b.kind === 'answer') return false
  return saidIn(a) === saidIn(b)
}

const saidIn = (shown: MessageShown) => ('message' in shown ? shown.message : shown.outgoing)

export function createItem(shown: Shown, actions: ItemActions): Item<Shown> {
  if (shown.kind === 'message') {
    const item = messageItem(actions)
    return { ...item, update: (value) => value.kind === 'message' && item.update(value) }
  }
  const item = answerItem(actions.say)
  return { ...item, update: (value) => value.kind === 'answer' && item.update(value) }
}
