import type { PromptMessage } from '../../provider.ts'

const ASKS = [
  /\bwhat (did|have) i (say|said|ask|asked|tell|told|write|written|wrote)\b/,
  /\b(my|the) (first|last|earlier|previous) (message|question)s?\b/,
  /\b(do|can) you remember\b/,
  /\bremind me what\b/,
]

export const asksForMemory = (question: string): boolean => ASKS.some((ask) => ask.test(question))

const MOST = 10
const LONGEST = 160

/** What the user said before, so that people can see that the conversation is really handed to the model. */
export function remember(messages: readonly PromptMessage[]): string {
  const said = messages
    .slice(0, -1)
    .filter(({ role }) => role === 'user')
    .map(({ text }) => quoted(text))
  if (said.length === 0) {
    return 'This is the first message of our conversation, so there is nothing before it that I could repeat. Say something, and then ask me again.'
  }
  const latest = said.slice(-MOST)
  const beginning =
    latest.length < said.length
      ? `You have written ${said.length} messages before this one that I can still see. The latest of them:`
      : said.length === 1
        ? 'You have written one message before this one:'
        : `You have written ${said.length} messages before this one:`
  return [
    beginning,
    latest.map((text, i) => `${i + 1}. ${text}`).join('\n'),
    'I know this because every request to a model carries the conversation so far: the newest messages first, as many as the budget of the model allows, and handed over in their order. That is true for real models, too.',
  ].join('\n\n')
}

function quoted(text: string): string {
  const characters = Array.from(text.replace(/\s+/g, ' ').trim())
  const cut = characters.length > LONGEST ? `${characters.slice(0, LONGEST).join('').trimEnd()}…` : characters.join('')
  return `“${cut}”`
}
