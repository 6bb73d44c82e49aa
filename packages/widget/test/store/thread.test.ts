import type { MessageView, SpokenView } from '@chatbox/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isAnswer } from '../../src/store/model.ts'
import { type Entries, isIncomplete, withAnswer, withLatest, withOlder, withSpoken } from '../../src/store/thread.ts'
import { answer, question, storedAnswer } from '../fake-chat.ts'

const textsOf = (entries: Entries) => entries.map((entry) => entry.text)
const statusOf = (entries: Entries, seq: number) => {
  const entry = entries.find((one) => one.seq === seq)
  return entry && isAnswer(entry) ? entry.status : undefined
}

describe('a conversation that is put together', () => {
  it('shows a pending answer as soon as its question is there', () => {
    const entries = withSpoken([], question('s', 1))
    expect(entries.map(({ seq, author }) => [seq, author])).toEqual([
      [1, 'user'],
      [2, 'assistant'],
    ])
    expect(statusOf(entries, 2)).toBe('pending')
  })

  it('does not forget what an answer has said when its question comes again', () => {
    let entries = withSpoken([], question('s', 1))
    entries = withAnswer(entries, answer('s', 2, { text: 'so far' }))
    expect(textsOf(withSpoken(entries, question('s', 1)))).toEqual(['question 1', 'so far'])
  })

  it('ignores what is older: a shorter text, a lower attempt, a beginning after the end', () => {
    let entries = withAnswer([], answer('s', 2, { attempt: 2, text: 'longer' }))
    entries = withAnswer(entries, answer('s', 2, { attempt: 2, text: 'long' }))
    entries = withAnswer(entries, answer('s', 2, { attempt: 1, text: 'from an earlier attempt' }))
    expect(textsOf(entries)).toEqual(['longer'])
    entries = withAnswer(entries, answer('s', 2, { attempt: 2, status: 'done', text: 'all' }))
    entries = withAnswer(entries, answer('s', 2, { attempt: 3, text: 'late, and longer than all' }))
    expect(textsOf(entries)).toEqual(['all'])
  })

  it('forgets the text when a new attempt begins', () => {
    let entries = withAnswer([], answer('s', 2, { attempt: 1, text: 'half an ans' }))
    entries = withAnswer(entries, answer('s', 2, { attempt: 2, text: '' }))
    expect(textsOf(entries)).toEqual([''])
  })

  it('shows the answer that the question names, not one that was superseded', () => {
    const again = question('s', 1, { answer: { answerId: 'second', seq: 2, status: 'pending', modelId: 'demo' } })
    let entries = withSpoken([], question('s', 1))
    entries = withAnswer(entries, answer('s', 2, { status: 'done', text: 'first' }))
    entries = withSpoken(entries, again)
    expect(textsOf(entries)).toEqual(['question 1', ''])
    entries = withAnswer(entries, answer('s', 2, { status: 'done', text: 'first' }))
    expect(textsOf(entries)).toEqual(['question 1', ''])
    entries = withAnswer(entries, answer('s', 2, { answerId: 'second', text: 'second' }))
    expect(textsOf(entries)).toEqual(['question 1', 'second'])
  })

  it('keeps the text of a living answer when history knows it as pending', () => {
    const pending: MessageView = { ...storedAnswer('s', 2, ''), status: 'pending' }
    const live = withAnswer(withSpoken([], question('s', 1)), answer('s', 2, { text: 'so far' }))
    const { entries } = withLatest(
      { entries: live, more: false },
      { messages: [question('s', 1), pending], more: false },
    )
    expect(textsOf(entries)).toEqual(['question 1', 'so far'])
  })

  it('knows which model answers, whoever told of it and whenever', () => {
    const live = answer('s', 2, { text: 'so far' })
    const pending: MessageView = { ...storedAnswer('s', 2, ''), status: 'pending' }
    const page = { messages: [question('s', 1), pending], more: false }
    const modelOf = (entries: Entries) => entries.filter(isAnswer).map(({ modelId, text }) => [modelId, text])
    const expected = [['demo', 'so far']]
    expect(modelOf(withLatest({ entries: withAnswer([], live), more: false }, page).entries)).toEqual(expected)
    expect(modelOf(withAnswer(withLatest({ entries: [], more: false }, page).entries, live))).toEqual(expected)
  })

  it('needs the history when an answer has ended of which only the question told', () => {
    const ended = question('s', 1, { answer: { answerId: 's-2', seq: 2, status: 'done', modelId: 'demo' } })
    expect(isIncomplete([], ended)).toBe(true)
    expect(isIncomplete([], question('s', 1))).toBe(false)
    expect(isIncomplete(withAnswer([], answer('s', 2, { status: 'done' })), ended)).toBe(false)
  })

  it('puts older messages in front, and says whether there are more', () => {
    const { entries } = withLatest(
      { entries: [], more: false },
      { messages: [question('s', 3), storedAnswer('s', 4)], more: true },
    )
    const loaded = withOlder(entries, { messages: [question('s', 1), storedAnswer('s', 2)], more: false })
    expect(loaded.entries.map(({ seq }) => seq)).toEqual([1, 2, 3, 4])
    expect(loaded.more).toBe(false)
  })

  it('drops what is older when the latest page does not join it, so that no gap is shown', () => {
    const old = { entries: [question('s', 1)] as Entries, more: false }
    const gap = withLatest(old, { messages: [question('s', 7), storedAnswer('s', 8)], more: true })
    expect(gap.entries.map(({ seq }) => seq)).toEqual([7, 8])
    expect(gap.more).toBe(true)
    const joined = withLatest(old, { messages: [storedAnswer('s', 2)], more: true })
    expect(joined.entries.map(({ seq }) => seq)).toEqual([1, 2])
    expect(joined.more).toBe(false)
  })

  it('is the same whatever the order in which things arrive, and however often', () => {
    type Event = (entries: Entries) => Entries
    const asked: readonly SpokenView[] = [1, 3, 5].map((seq) => question('s', seq))
    const story: readonly Event[] = asked.flatMap((message): Event[] => {
      const seq = message.seq + 1
      const full = `answer ${seq}`
      return [
        (entries) => withSpoken(entries, message),
        (entries) => withAnswer(entries, answer('s', seq, { attempt: 1, text: 'ans' })),
        (entries) => withAnswer(entries, answer('s', seq, { attempt: 2, text: full.slice(0, 4) })),
        (entries) => withAnswer(entries, answer('s', seq, { attempt: 2, text: full, status: 'done' })),
        (entries) =>
          withLatest({ entries, more: false }, { messages: [message, storedAnswer('s', seq)], more: false }).entries,
      ]
    })
    const events = fc.shuffledSubarray([...story, ...story], { minLength: story.length * 2 })
    fc.assert(
      fc.property(events, (order) => {
        // A page in the middle drops what doesn't join it; told once more, it is all there.
        const entries = [...order, ...story.filter((_, n) => n % 5 < 4)].reduce<Entries>((all, event) => event(all), [])
        expect(entries.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6])
        expect(textsOf(entries)).toEqual(['question 1', 'answer 2', 'question 3', 'answer 4', 'question 5', 'answer 6'])
        expect([2, 4, 6].map((seq) => statusOf(entries, seq))).toEqual(['done', 'done', 'done'])
      }),
    )
  })
})
