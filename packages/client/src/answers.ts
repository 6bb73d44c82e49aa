import type { AnswerRefView, AnswerView, MessageView, ServerFrameOf } from '@chatbox/protocol'
import type { AnswerState } from './api.ts'
import { isStoredText } from './digest.ts'
import { createGate } from './gate.ts'
import { type Merging, merge, nothingYet, type StreamFrame } from './merge.ts'

export interface AnswersOptions {
  readonly max: number
  onAnswer(state: AnswerState): void
  /** The answer as it is stored, or undefined when it isn't there. Rejects when it can't be had now. */
  fetchStored(sid: string, seq: number, answerId: string): Promise<AnswerView | undefined>
  /** How long to wait before asking for the stored text once more. */
  retryAfterMs(tries: number): number
  /** The stored text could not be had, so the one shown may be wrong. */
  onDoubt(): void
}

/** The answers that are being written, or ended while this client looked on. */
export interface Answers {
  /** A question came, with word of the answer that will follow it. */
  expect(sid: string, answer: AnswerRefView): void
  stream(frame: StreamFrame): void
  done(frame: ServerFrameOf<'answer.done'>): void
  /** History was read: what has ended there has ended here. */
  stored(messages: readonly MessageView[]): void
  get(answerId: string): AnswerState | undefined
  clear(): void
}

interface Kept {
  view: AnswerState
  readonly merging: Merging
  /** `ending`: the end came and its text is being compared. */
  phase: 'open' | 'ending' | 'ended'
}

type Ending = Pick<AnswerState, 'attempt' | 'status' | 'text' | 'modelId' | 'usage' | 'error' | 'notices'>

const FETCHES_AT_ONCE = 3
const FETCH_TRIES = 3

export function createAnswers(options: AnswersOptions): Answers {
  const kept = new Map<string, Kept>()
  const gate = createGate(FETCHES_AT_ONCE)

  const known = (frame: Pick<AnswerState, 'sid' | 'seq' | 'answerId'>): Kept => {
    const { sid, seq, answerId } = frame
    const found = kept.get(answerId)
    if (found) return found
    makeRoom()
    const view: AnswerState = { sid, seq, answerId, attempt: 0, status: 'pending', text: '' }
    const made: Kept = { view, merging: nothingYet(), phase: 'open' }
    kept.set(answerId, made)
    return made
  }

  const makeRoom = () => {
    if (kept.size < options.max) return
    const ids = [...kept.keys()]
    const oldest = ids.find((id) => kept.get(id)?.phase === 'ended') ?? ids[0]
    if (oldest !== undefined) kept.delete(oldest)
  }

  const show = (entry: Kept, changes: Partial<AnswerState>) => {
    entry.view = { ...entry.view, ...changes }
    options.onAnswer(entry.view)
  }

  const end = (entry: Kept, ending: Partial<Ending>) => {
    if (entry.phase === 'ended' || kept.get(entry.view.answerId) !== entry) return
    entry.phase = 'ended'
    entry.merging.ahead.clear()
    show(entry, ending)
  }

  /** The end is shown once the text is known to be the stored one: never a finished answer with a wrong text (P7). */
  const settle = async (entry: Kept, frame: ServerFrameOf<'answer.done'>) => {
    const { status, modelId, usage, error, notices } = frame
    const said = {
      status,
      ...(modelId !== undefined ? { modelId } : {}),
      ...(usage ? { usage } : {}),
      ...(error ? { error } : {}),
      ...(notices ? { notices } : {}),
    }
    if (await isStoredText(entry.merging.text, entry.merging.attempt, frame)) return end(entry, said)
    const stored = await gate(() => fetchWithRetry(entry.view))
    if (!stored) options.onDoubt()
    end(entry, stored ? { ...said, ...endingOf(stored), attempt: frame.attempt } : said)
  }

  const fetchWithRetry = async ({ sid, seq, answerId }: AnswerState): Promise<AnswerView | undefined> => {
    for (let tries = 0; tries < FETCH_TRIES; tries++) {
      if (tries > 0) await new Promise((resolve) => setTimeout(resolve, options.retryAfterMs(tries)))
      try {
        const stored = await options.fetchStored(sid, seq, answerId)
        if (stored?.status !== 'pending') return stored
      } catch {
        // Not now: that is what the next try, and in the end `onDoubt`, are for.
      }
    }
    return undefined
  }

  return {
    expect(sid, answer) {
      // One that ended long ago is in the history with its text; here it would only stand without.
      if (answer.status !== 'pending' || kept.has(answer.answerId)) return
      show(known({ sid, ...answer }), { modelId: answer.modelId })
    },
    stream(frame) {
      const entry = known(frame)
      if (entry.phase !== 'open') return
      const changed = merge(entry.merging, frame)
      const { attempt, text } = entry.merging
      const model = frame.type === 'answer.started' && frame.attempt === attempt ? { modelId: frame.modelId } : {}
      if (changed || 'modelId' in model) show(entry, { attempt, text, ...model })
    },
    done(frame) {
      const entry = known(frame)
      if (entry.phase !== 'open') return
      entry.phase = 'ending'
      void settle(entry, frame)
    },
    stored(messages) {
      for (const message of messages) {
        if (message.author !== 'assistant' || message.status === 'pending') continue
        const entry = kept.get(message.answerId)
        if (entry) end(entry, endingOf(message))
      }
    },
    get: (answerId) => kept.get(answerId)?.view,
    clear: () => kept.clear(),
  }
}

const endingOf = ({ status, text, modelId, usage, error, notices }: AnswerView): Partial<Ending> => ({
  status,
  text,
  modelId,
  ...(usage ? { usage } : {}),
  ...(error ? { error } : {}),
  ...(notices ? { notices } : {}),
})
