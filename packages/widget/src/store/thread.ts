import type { AnswerState } from '@chatbox/client'
import type { MessagePage, MessageView, SpokenView } from '@chatbox/protocol'
import { type AnswerEntry, type Entry, isAnswer } from './model.ts'

/** Merging by (sid, seq, answerId): everything may come twice, and history may come before or after events. */
export type Entries = readonly Entry[]

export function withSpoken(entries: Entries, message: SpokenView): Entries {
  const { answer } = message
  const next = put(entries, message)
  if (!answer) return next
  const slot = at(next, answer.seq)
  if (slot && isAnswer(slot) && slot.answerId === answer.answerId) return next
  // What an ended answer said is for history to tell (`isIncomplete`).
  if (answer.status !== 'pending') return next
  const { answerId, seq, status, modelId } = answer
  return put(next, { author: 'assistant', sid: message.sid, seq, answerId, attempt: 0, status, modelId, text: '' })
}

/** An ended answer is missing of which only the question told: the history must be read. */
export function isIncomplete(entries: Entries, { answer }: SpokenView): boolean {
  if (!answer || answer.status === 'pending') return false
  const slot = at(entries, answer.seq)
  return !slot || !isAnswer(slot) || slot.answerId !== answer.answerId
}

export function withAnswer(entries: Entries, answer: AnswerState): Entries {
  const question = at(entries, answer.seq - 1)
  // The question knows its current answer: another one was superseded.
  const current = question && !isAnswer(question) ? question.answer?.answerId : undefined
  if (current !== undefined && current !== answer.answerId) return entries
  return putAnswer(entries, { author: 'assistant', ...answer })
}

export interface Loaded {
  readonly entries: Entries
  readonly more: boolean
}

/** A page of older messages than all that are here. */
export const withOlder = (entries: Entries, page: MessagePage): Loaded => ({
  entries: page.messages.reduce(withHistory, entries),
  more: page.more,
})

/** The latest page, read anew: what is older is kept only if it joins without a gap. */
export function withLatest(loaded: Loaded, page: MessagePage): Loaded {
  const first = page.messages[0]?.seq
  if (first === undefined) return { entries: loaded.entries, more: page.more }
  const joins = loaded.entries.some(({ seq }) => seq === first - 1)
  const kept = joins ? loaded.entries : loaded.entries.filter(({ seq }) => seq >= first)
  return { entries: page.messages.reduce(withHistory, kept), more: joins ? loaded.more : page.more }
}

function withHistory(entries: Entries, message: MessageView): Entries {
  if (message.author !== 'assistant') return put(entries, message)
  const { author, sid, seq, answerId, status, text, modelId, usage, error, notices } = message
  return putAnswer(entries, {
    author,
    sid,
    seq,
    answerId,
    attempt: 0,
    status,
    text,
    modelId,
    ...(usage && { usage }),
    ...(error && { error }),
    ...(notices && { notices }),
  })
}

function putAnswer(entries: Entries, answer: AnswerEntry): Entries {
  const known = at(entries, answer.seq)
  const merged = known && isAnswer(known) && known.answerId === answer.answerId ? merge(known, answer) : answer
  return merged === known ? entries : put(entries, merged)
}

/** An end is final; a later attempt beats an earlier one; in the same attempt text only grows. */
function merge(known: AnswerEntry, news: AnswerEntry): AnswerEntry {
  const modelId = news.modelId ?? known.modelId
  const winner = isNews(known, news) ? news : known
  // Not everything that tells of an answer tells which model gives it.
  return winner.modelId === modelId || modelId === undefined ? winner : { ...winner, modelId }
}

function isNews(known: AnswerEntry, news: AnswerEntry): boolean {
  if (news.status !== 'pending') return true
  if (known.status !== 'pending' || news.attempt < known.attempt) return false
  return news.attempt > known.attempt || news.text.length > known.text.length
}

const at = (entries: Entries, seq: number): Entry | undefined => {
  const place = placeOf(entries, seq)
  return entries[place]?.seq === seq ? entries[place] : undefined
}

function put(entries: Entries, entry: Entry): Entries {
  const place = placeOf(entries, entry.seq)
  const replaced = entries[place]?.seq === entry.seq ? 1 : 0
  return entries.toSpliced(place, replaced, entry)
}

/** The first place whose seq is not lower. What is new comes last nearly always, so this looks from the end. */
function placeOf(entries: Entries, seq: number): number {
  let place = entries.length
  while (place > 0 && (entries[place - 1]?.seq ?? 0) >= seq) place--
  return place
}
