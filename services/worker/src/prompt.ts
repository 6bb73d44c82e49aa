import {
  type Answer,
  type Content,
  type Conversations,
  estimateTokens,
  TOKENS_PER_MESSAGE,
  type Turn,
} from '@chatbox/core'
import type { Model, PromptMessage, Thread } from './provider.ts'

export interface Prompt {
  /** The oldest first; the last one is the question. */
  readonly messages: readonly PromptMessage[]
  /** Where the provider can go on by itself, for those that do. */
  readonly thread: Thread | undefined
  /** An estimate of all of it, the system prompt included. */
  readonly tokens: number
  /** Something older was left out. */
  readonly trimmed: boolean
}

const PAGE = 20

/** Turns that are looked through for what a provider's own conversation may have wrong; beyond them a new one is begun. */
const LOOKED_AT = 1_000

/**
 * What the model gets to see: the system prompt, as much of what was said before the question as the budget allows, and the
 * question. Nothing superseded, nothing later (R16). The oldest goes first, a turn as a whole, so that no answer stands without its question.
 */
export async function buildPrompt(
  history: Pick<Conversations, 'turns'>,
  turn: Turn,
  model: Pick<Model, 'systemPrompt' | 'contextTokens'>,
): Promise<Prompt> {
  const question: PromptMessage = { role: 'user', text: textOf(turn.content) }
  // These two are never dropped: without them there is nothing to answer.
  let tokens = estimateTokens(model.systemPrompt ?? '') + costOf([question])
  const earlier: PromptMessage[][] = []
  let trimmed = false
  let thread: Thread | undefined
  let last: Answer | undefined
  let looked = 0

  for await (const before of turnsBefore(history, turn)) {
    looked += 1
    if (!last && before.answer) {
      last = before.answer
      const id = mayGoOn(turn) ? threadOf(last, turn) : undefined
      if (id !== undefined) thread = { id, messages: [...earlier.toReversed().flat(), question] }
    } else if (last && (answeredAnewSince(last, before) || looked > LOOKED_AT)) thread = undefined

    const messages: PromptMessage[] = trimmed ? [] : messagesOf(before)
    const cost = costOf(messages)
    // Lines that say nothing to a model cost nothing, and are always in.
    trimmed ||= messages.length > 0 && tokens + cost > model.contextTokens
    // Of what stands further up nothing matters but whether the provider's own conversation has it as it is now.
    if (trimmed && !thread) break
    if (trimmed || messages.length === 0) continue
    tokens += cost
    earlier.push(messages)
  }
  return { messages: [...earlier.reverse().flat(), question], thread, tokens, trimmed }
}

/**
 * Whether the model knows less than was said. Who goes on in a conversation of its own was told the rest before, unless it
 * turned out to be another one.
 */
export const isCut = ({ trimmed, thread }: Prompt, heard: { readonly thread?: string } = {}): boolean =>
  trimmed && (thread === undefined || (heard.thread !== undefined && heard.thread !== thread.id))

/** What an earlier try at this question has left in the provider's own conversation, nobody knows. */
const mayGoOn = ({ answer, superseded }: Turn): boolean => answer?.attempt === 1 && superseded.length === 0

/** Only where the last answer that anybody asked for was this model's, and was stored whole; else the provider knows more, or less, than was said. */
const threadOf = ({ status, modelId, thread }: Answer, { answer }: Turn): string | undefined =>
  status === 'done' && modelId === answer?.modelId ? thread : undefined

/**
 * An earlier question got another answer after that one was asked for: whoever gave it knows what was superseded, and not what took
 * its place.
 */
const answeredAnewSince = (last: Answer, { answer, superseded }: Turn): boolean =>
  answer !== undefined && superseded.length > 0 && answer.askedAt >= last.askedAt

/** The newest first. */
async function* turnsBefore(history: Pick<Conversations, 'turns'>, { sid, seq }: Turn): AsyncGenerator<Turn> {
  let before = seq
  for (;;) {
    const page = await history.turns(sid, { limit: PAGE, before })
    for (const turn of page) {
      if (turn.seq < before) yield turn
    }
    const last = page.at(-1)
    if (!last || page.length < PAGE || last.seq >= before) return
    before = last.seq
  }
}

const ROLES = { user: 'user', admin: 'agent' } as const

function messagesOf({ author, content, answer }: Turn): PromptMessage[] {
  // Lines of the system tell people what happened; a model has no use for them.
  if (author === 'system') return []
  const messages: PromptMessage[] = [{ role: ROLES[author], text: textOf(content) }]
  // Also what a failed or cancelled answer had said: the user has read it, and may ask about it.
  if (answer && answer.status !== 'pending') messages.push({ role: 'assistant', text: answer.text ?? '' })
  return messages.filter(({ text }) => text !== '')
}

/** Files are named, not sent: the model should at least know that there were some. */
function textOf({ text, files = [] }: Content): string {
  const attached = files.map(
    ({ name, mimeType }) => `[attached: ${name ?? 'a file'}${mimeType ? `, ${mimeType}` : ''}]`,
  )
  return [text, ...attached].filter((part) => part !== '').join('\n')
}

const costOf = (messages: readonly PromptMessage[]): number =>
  messages.reduce((sum, { text }) => sum + estimateTokens(text) + TOKENS_PER_MESSAGE, 0)
