import type { SealedConversations, SealedNames } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { atOnce, someAnswer, someEnd, someFeedback, someLine, someQuestion, someSid, someStub } from './rows.ts'
import { type SealedAnswer, type SealedTurn, sealedSession, textOfBytes } from './sealed-rows.ts'
import { byteValues, inTexts, type TextAnswer, withKeys } from './store.ts'

/** Every value of a rotation that seals them anew. */
export function resealContract(store: () => SealedConversations): void {
  const texts = () =>
    inTexts({ conversations: withKeys(store()), content: byteValues, text: byteValues, close: async () => undefined })

  /** A question with an answer that is done, rated, and one that it superseded, rated too. */
  async function lived() {
    const { sid } = await sealedSession(store())
    const question = someQuestion({ sid, seq: 1 })
    await texts().insertTurn(question)
    const next = someAnswer()
    await texts().endAnswer(sid, question.answer.answerId, someEnd({ text: 'the first', thread: 'one' }))
    await texts().rateAnswer(sid, question.answer.answerId, someFeedback({ comment: 'poor' }))
    await texts().supersede(sid, 1, question.answer.answerId, next)
    await texts().endAnswer(sid, next.answerId, someEnd({ text: 'the second', thread: 'two' }))
    await texts().rateAnswer(sid, next.answerId, someFeedback({ comment: 'good' }))
    return { sid, answerId: next.answerId, read: await readTurn(sid) }
  }
  async function readTurn(sid: ReturnType<typeof someSid>, seq = 1): Promise<SealedTurn> {
    const turn = await store().turn(sid, seq)
    if (!turn) throw new Error('the turn is gone')
    return turn
  }

  describe('sealing the values of a turn anew', () => {
    it('changes every value, the old answers’ too, and nothing else', async () => {
      const { sid, read } = await lived()
      const before = await texts().turn(sid, 1)
      expect(await store().resealTurn(read, marked(read, 'anew'))).toBe(true)
      const after = await texts().turn(sid, 1)
      expect(after?.content).toBe(`${before?.content} anew`)
      expect(wordsOf(after?.answer)).toEqual(['the second anew', 'two anew', 'good anew'])
      expect(wordsOf(after?.superseded[0])).toEqual(['the first anew', 'one anew', 'poor anew'])
      expect(withoutValues(await readTurn(sid))).toEqual(withoutValues(read))
      expect((await store().session(sid))?.rev).toBe(0)
    })

    it('changes a line, and a question whose answer has no value yet', async () => {
      const { sid } = await sealedSession(store())
      await texts().insertTurn(someLine({ sid, seq: 1, content: 'a line' }))
      await texts().insertTurn(someQuestion({ sid, seq: 2, content: 'a question' }))
      for (const seq of [1, 2]) {
        const read = await readTurn(sid, seq)
        expect(await store().resealTurn(read, marked(read, 'anew'))).toBe(true)
        expect(withoutValues(await readTurn(sid, seq))).toEqual(withoutValues(read))
      }
      expect((await texts().turns(sid, { after: 0, limit: 9 })).map(({ content }) => content)).toEqual([
        ...['a line anew', 'a question anew'],
      ])
    })

    it('is refused where any value is another than the one that was read, or is no more, or has come since', async () => {
      const { sid, read } = await lived()
      const other = byteValues.of('another')
      const { answer, superseded } = read
      const [old] = superseded
      if (!answer?.feedback || !old?.feedback) throw new Error('the answers are gone')
      const { text: _, ...textless } = answer
      const { thread: ____, ...threadless } = answer
      const { feedback: __, ...unrated } = answer
      const { feedback: ___, ...oldUnrated } = old
      const misread: readonly SealedTurn[] = [
        { ...read, content: other },
        { ...read, answer: { ...answer, text: other } },
        { ...read, answer: { ...answer, thread: other } },
        { ...read, answer: { ...answer, feedback: { ...answer.feedback, comment: other } } },
        { ...read, superseded: [{ ...old, text: other }] },
        { ...read, superseded: [{ ...old, thread: other }] },
        { ...read, superseded: [{ ...old, feedback: { ...old.feedback, comment: other } }] },
        { ...read, answer: textless },
        { ...read, answer: threadless },
        { ...read, answer: unrated },
        { ...read, superseded: [oldUnrated] },
        { ...read, superseded: [] },
        { ...read, superseded: [old, { ...old, answerId: someAnswer().answerId }] },
        { ...read, seq: 3 },
        { ...read, sid: someSid() },
      ]
      for (const from of misread) expect(await store().resealTurn(from, marked(from, 'anew'))).toBe(false)
      expect(await readTurn(sid)).toEqual(read)
    })

    it('is refused of what was erased since', async () => {
      const { sid, read } = await lived()
      await texts().eraseTurns(sid, someStub({ sid, seq: 3 }))
      const stub = await readTurn(sid)
      expect(await store().resealTurn(read, marked(read, 'anew'))).toBe(false)
      expect(await readTurn(sid)).toEqual(stub)
    })

    it('is done by one of 20 at once, with all of its values', async () => {
      const { sid, read } = await lived()
      const outcomes = await atOnce(20, (i) => store().resealTurn(read, marked(read, `by ${i}`)))
      expect(outcomes.filter(Boolean)).toHaveLength(1)
      const winner = marked(read, `by ${outcomes.indexOf(true)}`)
      expect(valuesOf(await readTurn(sid))).toEqual(valuesOf(winner))
    })

    it('and the end of the answer lose nothing of each other', async () => {
      for (let round = 0; round < 20; round += 1) {
        const { sid } = await sealedSession(store())
        const question = someQuestion({ sid, seq: 1, content: 'asked' })
        await texts().insertTurn(question)
        const read = await readTurn(sid)
        const calls = [
          () => store().resealTurn(read, marked(read, 'anew')),
          () => texts().endAnswer(sid, question.answer.answerId, someEnd({ text: 'the end' })),
        ]
        const done = await Promise.all((round % 2 === 0 ? calls : calls.toReversed()).map((call) => call()))
        const [resealed, ended] = round % 2 === 0 ? done : done.toReversed()
        expect(ended).toBe(true)
        expect(await texts().turn(sid, 1)).toMatchObject({
          content: resealed ? 'asked anew' : 'asked',
          answer: { status: 'done', text: 'the end', endedAt: someEnd().endedAt },
        })
      }
    })
  })

  describe('sealing the names of a session anew', () => {
    const names: SealedNames = {
      nm: byteValues.of('a name anew'),
      preview: byteValues.of('said last anew'),
      assistingAdminName: byteValues.of('Wanda anew'),
    }
    const namesOf = async (sid: ReturnType<typeof someSid>) => {
      const { nm, preview, assistingAdminName } = (await store().session(sid)) ?? {}
      return [nm, preview, assistingAdminName].map(textOfBytes)
    }

    it('changes those that are there, and nothing else', async () => {
      const session = await sealedSession(store())
      expect(await store().resealNames(session.sid, session, names)).toBe(true)
      expect(await namesOf(session.sid)).toEqual(['a name anew', 'said last anew', 'Wanda anew'])
      const { nm: _, preview: __, assistingAdminName: ___, ...rest } = session
      expect(await store().session(session.sid)).toMatchObject({ ...rest, rev: 0 })

      const [one, other] = [await sealedSession(store()), await sealedSession(store())]
      await store().changeSession(one.sid, 0, { preview: null, assistingAdminName: null })
      const { nm = byteValues.of('') } = one
      expect(await store().resealNames(one.sid, { nm }, { nm: byteValues.of('renamed') })).toBe(true)
      expect(await namesOf(one.sid)).toEqual(['renamed', undefined, undefined])
      expect(await namesOf(other.sid)).toEqual(['a name', 'said last', 'Wanda'])
    })

    it('is refused where any of them is another, or is no more, or has come since', async () => {
      const { sid, nm, preview, assistingAdminName } = await sealedSession(store())
      if (!nm || !preview || !assistingAdminName) throw new Error('a name is missing')
      const read = { nm, preview, assistingAdminName }
      for (const field of ['nm', 'preview', 'assistingAdminName'] as const) {
        const { [field]: _, ...without } = read
        expect(await store().resealNames(sid, { ...read, [field]: byteValues.of('another') }, names)).toBe(false)
        expect(await store().resealNames(sid, without, names)).toBe(false)
      }
      expect(await store().resealNames(someSid(), read, names)).toBe(false)
      await store().changeSession(sid, 0, { preview: null })
      expect(await store().resealNames(sid, read, names)).toBe(false)
      expect(await namesOf(sid)).toEqual(['a name', undefined, 'Wanda'])
      await store().eraseKey(sid)
      expect(await store().resealNames(sid, { nm, assistingAdminName }, names)).toBe(false)
      expect(await namesOf(sid)).toEqual([undefined, undefined, undefined])
    })

    it('puts no name back that was changed at the same time', async () => {
      for (let round = 0; round < 20; round += 1) {
        const session = await sealedSession(store())
        const calls = [
          () => store().resealNames(session.sid, session, names),
          () => store().changeSession(session.sid, 0, { nm: byteValues.of('renamed') }),
        ]
        const done = await Promise.all((round % 2 === 0 ? calls : calls.toReversed()).map((call) => call()))
        const [resealed, changed] = round % 2 === 0 ? done : done.toReversed()
        expect(changed).toBe(true)
        const preview = resealed ? 'said last anew' : 'said last'
        expect((await namesOf(session.sid)).slice(0, 2)).toEqual(['renamed', preview])
      }
    })
  })
}

/** The same turn, with every value of it another one. */
function marked(turn: SealedTurn, mark: string): SealedTurn {
  const anew = (value: Uint8Array) => byteValues.of(`${byteValues.read(value)} ${mark}`)
  const answerAnew = ({ text, thread, feedback, ...rest }: SealedAnswer): SealedAnswer => {
    const comment = feedback?.comment
    return {
      ...rest,
      ...(text && { text: anew(text) }),
      ...(thread && { thread: anew(thread) }),
      ...(feedback && { feedback: { ...feedback, ...(comment && { comment: anew(comment) }) } }),
    }
  }
  return {
    ...turn,
    content: anew(turn.content),
    superseded: turn.superseded.map(answerAnew),
    ...(turn.answer && { answer: answerAnew(turn.answer) }),
  }
}

const wordsOf = (answer: TextAnswer | undefined) => [answer?.text, answer?.thread, answer?.feedback?.comment]

const answersOf = ({ answer, superseded }: SealedTurn) => (answer ? [answer, ...superseded] : superseded)

const valuesOf = (turn: SealedTurn) => [
  textOfBytes(turn.content),
  ...answersOf(turn).flatMap(({ text, thread, feedback }) => [text, thread, feedback?.comment].map(textOfBytes)),
]

/** What must be the same when every value is another. */
const withoutValues = (turn: SealedTurn) => {
  const { content: _, answer: __, superseded: ___, ...rest } = turn
  const answers = answersOf(turn).map(({ text: _text, thread: _thread, feedback, ...answer }) => ({
    ...answer,
    rating: feedback?.rating,
    rated: feedback?.ts,
  }))
  return { ...rest, answers }
}
