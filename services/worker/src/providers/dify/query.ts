import type { PromptMessage, ProviderRequest } from '../../provider.ts'

/** What a conversation of the vendor's own is told: everything, where it has just begun. */
export const fromTheStart = ({ messages }: ProviderRequest): string =>
  told('What was said in this conversation so far:', messages)

/** And only what it has not heard, where it goes on. */
export const goingOn = (messages: readonly PromptMessage[]): string =>
  told('What was said since your last answer:', messages)

/** The vendor takes one text; so the lines of others stand in front of the question, told apart from everything that somebody may write in them. */
function told(heading: string, messages: readonly PromptMessage[]): string {
  const question = messages.at(-1)?.text ?? ''
  const earlier = messages.slice(0, -1).map(({ role, text }) => `${SPEAKERS[role]}:\n${quoted(text)}`)
  if (earlier.length === 0) return question
  return [heading, ...earlier, 'What the user says now, to be answered:', question].join('\n\n')
}

const SPEAKERS: Readonly<Record<PromptMessage['role'], string>> = {
  user: 'The user',
  assistant: 'You',
  agent: 'A human of the team that helps',
}

const quoted = (text: string): string => `> ${text.replaceAll('\n', '\n> ')}`
