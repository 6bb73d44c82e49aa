import {
  type Answer,
  answerId,
  type Conversations,
  estimateTokens,
  sessionId,
  TOKENS_PER_MESSAGE,
  type Turn,
  userId,
} from '@chatbox/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { buildPrompt } from '../src/prompt.ts'
import { house } from './support/house.ts'

const sid = sessionId('s')

const answerOf = (status: Answer['status'], text?: string): Answer => ({
  ...{ answerId: answerId(`a-${text}`), status, attempt: 1, faults: 0, handbacks: 0, n: 0, modelId: 'm', askedAt: 0 },
  ...(text !== undefined && { text }),
})

const turnOf = (seq: number, rest: Partial<Turn> & { text?: string }): Turn => {
  const { text = '', ...turn } = rest
  return {
    ...{ sid, seq, width: turn.answer ? 2 : 1, partition: 0, author: 'user', authorId: userId('u'), kind: 'text' },
    ...{ content: { text }, ts: 0, superseded: [], ...turn },
  } as Turn
}

/** As the port says: below `before`, the highest first, at most `limit`. */
function historyOf(rows: readonly Turn[]): Pick<Conversations, 'turns'> & { readonly reads: number } {
  let reads = 0
  return {
    async turns(_, { limit, before = Number.POSITIVE_INFINITY }) {
      reads += 1
      return rows
        .filter(({ seq }) => seq < before)
        .sort((a, b) => b.seq - a.seq)
        .slice(0, limit)
    },
    get reads() {
      return reads
    },
  }
}

const roomy = { contextTokens: 1_000_000 }

describe('a prompt', () => {
  it('has what was said before the question, oldest first, and nothing later or superseded (R16)', async () => {
    const rows = [
      turnOf(1, { text: 'first', answer: answerOf('done', 'one'), superseded: [answerOf('done', 'replaced')] }),
      turnOf(3, { text: 'second', answer: answerOf('cancelled', 'half of tw') }),
      turnOf(5, { text: 'third', answer: answerOf('failed', '') }),
      turnOf(7, { text: 'A human joined.', author: 'system', kind: 'system' }),
      turnOf(8, { text: 'Hello, I am Ada.', author: 'admin' }),
      turnOf(9, { text: 'waiting', answer: answerOf('pending') }),
      turnOf(11, { text: 'the question', answer: answerOf('pending') }),
      turnOf(13, { text: 'asked later', answer: answerOf('done', 'said later') }),
    ]
    const question = rows[6]
    if (!question) throw new Error('no question')
    const prompt = await buildPrompt(historyOf(rows), question, roomy)
    expect(prompt.messages).toEqual([
      { role: 'user', text: 'first' },
      { role: 'assistant', text: 'one' },
      { role: 'user', text: 'second' },
      { role: 'assistant', text: 'half of tw' },
      { role: 'user', text: 'third' },
      { role: 'agent', text: 'Hello, I am Ada.' },
      { role: 'user', text: 'waiting' },
      { role: 'user', text: 'the question' },
    ])
    expect(prompt.trimmed).toBe(false)
  })

  it('names files that were attached', async () => {
    const question = turnOf(1, {
      content: { text: '', files: [{ fileId: 'f', name: 'plan.pdf', mimeType: 'application/pdf' }] },
    })
    const { messages } = await buildPrompt(historyOf([question]), question, roomy)
    expect(messages).toEqual([{ role: 'user', text: '[attached: plan.pdf, application/pdf]' }])
  })

  it('keeps the question and the system prompt even where they alone are over the budget', async () => {
    const rows = [turnOf(1, { text: 'old', answer: answerOf('done', 'older') }), turnOf(3, { text: 'x'.repeat(500) })]
    const question = rows[1]
    if (!question) throw new Error('no question')
    const prompt = await buildPrompt(historyOf(rows), question, { contextTokens: 10, systemPrompt: 'Be kind.' })
    expect(prompt.messages).toEqual([{ role: 'user', text: 'x'.repeat(500) }])
    expect(prompt.trimmed).toBe(true)
  })

  it('reads no more of a long history than it can use', async () => {
    const rows = Array.from({ length: 500 }, (_, i) =>
      turnOf(2 * i + 1, { text: `question ${i}`, answer: answerOf('done', `answer ${i}`) }),
    )
    const question = turnOf(1_001, { text: 'now' })
    const history = historyOf(rows)
    const { messages, trimmed } = await buildPrompt(history, question, { contextTokens: 400 })
    expect(trimmed).toBe(true)
    expect(messages.at(-2)).toEqual({ role: 'assistant', text: 'answer 499' })
    expect(history.reads).toBeLessThan(4)
  })

  it('is always the longest run of latest turns that fits, in their order', async () => {
    const text = fc.string({ maxLength: 80 })
    const row = fc.record({
      question: text,
      answer: fc.option(text, { nil: undefined }),
      status: fc.constantFrom('done' as const, 'failed' as const, 'cancelled' as const, 'pending' as const),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 70 }),
        fc.integer({ min: 0, max: 900 }),
        text,
        async (history, contextTokens, systemPrompt) => {
          let seq = 1
          const rows = history.map(({ question, answer, status }) => {
            const turn = turnOf(seq, {
              text: question,
              ...(answer !== undefined && { answer: answerOf(status, answer) }),
            })
            seq += turn.width
            return turn
          })
          const question = turnOf(seq, { text: 'the question' })
          const prompt = await buildPrompt(historyOf([...rows, question]), question, { contextTokens, systemPrompt })

          const groups = rows.map(({ content, answer }) =>
            [content.text, answer && answer.status !== 'pending' ? (answer.text ?? '') : ''].filter(
              (said) => said !== '',
            ),
          )
          const cost = (said: readonly string[]) =>
            said.reduce((sum, one) => sum + estimateTokens(one) + TOKENS_PER_MESSAGE, 0)
          const fixed = estimateTokens(systemPrompt) + cost(['the question'])
          const expected: string[] = []
          let tokens = fixed
          let trimmed = false
          for (const group of groups.reverse()) {
            trimmed = group.length > 0 && tokens + cost(group) > contextTokens
            if (trimmed) break
            tokens += cost(group)
            expected.unshift(...group)
          }
          expect(prompt.messages.map((message) => message.text)).toEqual([...expected, 'the question'])
          expect(prompt.trimmed).toBe(trimmed)
          expect(prompt.tokens).toBe(tokens)
          if (prompt.messages.length > 1) expect(prompt.tokens).toBeLessThanOrEqual(Math.max(contextTokens, fixed))
        },
      ),
      { numRuns: 200 },
    )
  })

  describe('goes on in the conversation of the provider', () => {
    const threaded = { ...answerOf('done', 'one'), thread: 'a-thread' }
    const asking = { ...answerOf('pending'), attempt: 1 }
    const threadOf = async (rows: readonly Turn[], question: Partial<Turn> = {}, contextTokens = 1_000) => {
      const turn = turnOf(9, { text: 'the question', answer: asking, ...question })
      return (await buildPrompt(historyOf([...rows, turn]), turn, { contextTokens })).thread
    }
    const answered = turnOf(1, { text: 'first', answer: threaded })
    const human = turnOf(3, { text: 'from a human', author: 'admin' })

    it('that the last answer stood in, with what was said since', async () => {
      const said = turnOf(4, { text: 'to the human' })
      const messages = [
        { role: 'agent', text: 'from a human' },
        { role: 'user', text: 'to the human' },
        { role: 'user', text: 'the question' },
      ]
      expect(await threadOf([answered, human, said])).toEqual({ id: 'a-thread', messages })
    })

    it('however little of the answer itself the budget would bear', async () => {
      const long = turnOf(1, { text: 'x'.repeat(5_000), answer: threaded })
      expect((await threadOf([long, human], {}, 40))?.messages).toHaveLength(2)
    })

    it.each([
      ['had none', [turnOf(1, { answer: answerOf('done', 'one') })], {}],
      ['failed', [answered, turnOf(3, { answer: { ...threaded, status: 'failed' } })], {}],
      ['was cancelled', [answered, turnOf(3, { answer: { ...threaded, status: 'cancelled' } })], {}],
      ['is pending', [answered, turnOf(3, { answer: answerOf('pending') })], {}],
      ['is another model’s', [turnOf(1, { answer: { ...threaded, modelId: 'another' } })], {}],
      ['is an earlier one to the same question', [answered], { superseded: [threaded] }],
      ['was begun before, by another attempt', [answered], { answer: { ...asking, attempt: 2 } }],
      [
        'is not known, for more was said since than the budget bears',
        [answered, turnOf(3, { text: 'y'.repeat(9_000) })],
        {},
      ],
    ] as [string, Turn[], Partial<Turn>][])('not where the last answer %s', async (_, rows, question) => {
      expect(await threadOf(rows, question)).toBeUndefined()
    })
  })

  it('of a real conversation holds the answers before it, and what the model is told', async () => {
    const { ask, worker, provider, ended, models } = await house()
    models.set('model', {
      ...{
        provider,
        name: 'scripted-1',
        contextTokens: 2_000,
        systemPrompt: 'Be brief.',
        maxTokens: 77,
        temperature: 0.5,
      },
    })
    await worker()
    const first = await ask('How many legs has a spider?')
    const one = await provider.call(0)
    one.say('Eight.')
    one.end()
    await ended(first)
    await ask('And an ant?', { sid: first.sid, uid: first.uid })
    expect((await provider.call(1)).request).toEqual({
      session: first.sid,
      ...{ model: 'scripted-1', system: 'Be brief.', maxTokens: 77, temperature: 0.5 },
      messages: [
        { role: 'user', text: 'How many legs has a spider?' },
        { role: 'assistant', text: 'Eight.' },
        { role: 'user', text: 'And an ant?' },
      ],
    })
  })

  it('that does not open fails the answer visibly', async () => {
    const { ask, worker, ended, provider, conversations, logLines } = await house()
    Object.assign(conversations, {
      turns: async () => {
        throw new TypeError('a row that does not open')
      },
    })
    await worker()
    const asked = await ask()
    expect(await ended(asked)).toMatchObject({ status: 'failed', error: 'internal', text: '' })
    expect(provider.calls).toEqual([])
    expect(logLines.join('')).toContain('could not be produced')
  })
})
