import type { Answer, Turn } from '@chatbox/core'

type WithoutTexts = Omit<Turn<never, never>, 'content'>

/** What is left of a turn when nothing that anybody wrote may be told, or kept. */
export function withoutTexts(turn: Turn<unknown, unknown>): WithoutTexts {
  const { content: _, answer, superseded, ...rest } = turn
  return { ...rest, superseded: superseded.map(withoutText), ...(answer && { answer: withoutText(answer) }) }
}

function withoutText({ text: _, thread: __, feedback: ___, ...rest }: Answer<unknown>): Answer<never> {
  return rest
}
