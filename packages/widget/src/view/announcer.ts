import { type AnswerEntry, isAnswer, isPending, type Model } from '../store/model.ts'
import { h } from './dom.ts'

export interface Announcer {
  readonly element: HTMLElement
  say(text: string): void
  update(model: Model): void
}

/** Tells a screen reader that an answer begins and how it ended: not its tokens, which would never stop talking. */
export function createAnnouncer(): Announcer {
  const element = h('div', { class: 'cb-hidden', attributes: { role: 'status', 'aria-live': 'polite' } })
  let key: string | undefined
  let answers = new Map<string, AnswerEntry>()

  const say = (text: string) => {
    // The same sentence twice is only heard when it is another node.
    element.replaceChildren(h('p', { text }))
  }

  return {
    element,
    say,
    update({ open }) {
      const now = new Map(open.entries.filter(isAnswer).map((answer) => [answer.answerId, answer]))
      // What is there when a conversation is opened is no news.
      if (open.key === key && open.status === 'ready') {
        for (const [id, answer] of now) {
          const before = answers.get(id)
          if (isPending(answer) && !before) say('The assistant is answering.')
          if (!isPending(answer) && before && isPending(before)) say(endOf(answer))
        }
      }
      if (open.status === 'ready') key = open.key
      answers = now
    },
  }
}

function endOf({ status, error }: AnswerEntry): string {
  if (status === 'failed') return `The answer failed. ${error?.message ?? ''}`.trim()
  return status === 'cancelled' ? 'The answer was stopped.' : 'The answer is complete.'
}
