import type { Answer, AnswerId, Feedback, SealedNames, Turn } from '@chatbox/core'

/** Which of an answer's texts. */
export type TextField = 'text' | 'thread' | 'comment'
export type NameField = keyof SealedNames

export const NAME_FIELDS = ['nm', 'preview', 'assistingAdminName'] as const satisfies readonly NameField[]

type MapText<T, U> = (text: T, answerId: AnswerId, field: TextField) => U

/** The same turn with other values in the places of all that somebody wrote. */
export function mapTurn<C, T, D, U>(turn: Turn<C, T>, content: (content: C) => D, text: MapText<T, U>): Turn<D, U> {
  const { answer, superseded, ...rest } = turn
  return {
    ...rest,
    content: content(turn.content),
    superseded: superseded.map((old) => mapAnswer(old, text)),
    ...(answer && { answer: mapAnswer(answer, text) }),
  }
}

export function mapAnswer<T, U>(answer: Answer<T>, map: MapText<T, U>): Answer<U> {
  const { text, thread, feedback, ...rest } = answer
  return {
    ...rest,
    ...(text !== undefined && { text: map(text, answer.answerId, 'text') }),
    ...(thread !== undefined && { thread: map(thread, answer.answerId, 'thread') }),
    ...(feedback && { feedback: mapFeedback(feedback, (comment) => map(comment, answer.answerId, 'comment')) }),
  }
}

export function mapFeedback<T, U>(feedback: Feedback<T>, map: (comment: T) => U): Feedback<U> {
  const { comment, ...rest } = feedback
  return { ...rest, ...(comment !== undefined && { comment: map(comment) }) }
}

type Names<T> = { readonly [K in NameField]?: T }

/** The names that are there; one that is mapped to `undefined` is left out. */
export function mapNames<T, U>(
  row: Names<T | null>,
  map: (name: T, field: NameField) => U | undefined,
): { [K in NameField]?: U } {
  const mapped: { [K in NameField]?: U } = {}
  for (const field of NAME_FIELDS) {
    const name = row[field]
    const other = name === undefined || name === null ? undefined : map(name, field)
    if (other !== undefined) mapped[field] = other
  }
  return mapped
}

/** Every sealed value of a row. */
export function valuesOf(turn: Turn<Uint8Array, Uint8Array>): Uint8Array[] {
  const values: Uint8Array[] = []
  const take = (value: Uint8Array) => void values.push(value)
  mapTurn(turn, take, take)
  // What was erased is zero bytes.
  return values.filter(({ length }) => length > 0)
}
