import type { ModelView } from '@chatbox/protocol'
import { copyText } from '../markdown/code-block.ts'
import { createMarkdownView } from '../markdown/view.ts'
import type { AnswerEntry } from '../store/model.ts'
import { button, h, hiddenText, iconButton, setAttribute, setText } from './dom.ts'
import { icon } from './icons.ts'
import type { Item } from './keyed.ts'
import { paced } from './paced.ts'
import { costOf, tokensOf } from './spent.ts'

export interface AnswerShown {
  readonly answer: AnswerEntry
  /** Set when this is the last one, and another one may be asked for in its place. */
  readonly again?: () => void
  readonly models: readonly ModelView[]
}

export function answerItem(say: (text: string) => void): Item<AnswerShown> {
  const body = h('div', { class: 'cb-md' })
  const dots = h('div', { class: 'cb-dots', attributes: { 'aria-hidden': 'true' } }, h('i'), h('i'), h('i'))
  const notices = h('div', { class: 'cb-notices' })
  const ending = h('div', { class: 'cb-ending' })
  const facts = h('span', { class: 'cb-facts' })
  let text = ''
  const copy = iconButton('Copy the answer', icon('copy'), () => {
    copyText(text).then(
      () => {
        copy.replaceChildren(icon('check'))
        say('Answer copied.')
      },
      () => say('The answer could not be copied.'),
    )
  })
  copy.addEventListener('blur', () => copy.replaceChildren(icon('copy')))
  let askAgain: (() => void) | undefined
  const another = iconButton('Write another answer', icon('again'), () => askAgain?.())
  const foot = h('div', { class: 'cb-foot' }, copy, another, facts)
  const element = h('article', { class: 'cb-answer' }, hiddenText('Answer:'), body, dots, ending, notices, foot)

  const markdown = createMarkdownView(body)
  const paint = paced(() => markdown.update(text))

  return {
    element,
    update({ answer, again, models }) {
      const pending = answer.status === 'pending'
      text = answer.text
      if (pending) paint.soon()
      else paint.now()
      setAttribute(element, 'data-status', answer.status)
      dots.hidden = !pending
      ending.replaceChildren(...endingOf(answer, again))
      ending.hidden = ending.childNodes.length === 0
      notices.replaceChildren(...noticesOf(answer, models))
      notices.hidden = notices.childNodes.length === 0
      setText(facts, factsOf(answer, models))
      setAttribute(facts, 'title', totalOf(answer))
      askAgain = again
      another.hidden = !again || answer.status === 'failed'
      foot.hidden = pending || (text === '' && facts.textContent === '' && another.hidden)
      copy.hidden = text === '' || !('clipboard' in navigator)
    },
    close: paint.cancel,
  }
}

function endingOf({ status, error }: AnswerEntry, again: (() => void) | undefined): HTMLElement[] {
  if (status === 'cancelled') return [h('p', { class: 'cb-stopped', text: 'This answer was stopped.' })]
  if (status !== 'failed') return []
  const words = h('p', { text: error?.message ?? 'The answer failed.' })
  return [h('div', { class: 'cb-error' }, words, again && button('Try again', again))]
}

function factsOf({ modelId, usage, status }: AnswerEntry, models: readonly ModelView[]): string {
  if (status === 'pending') return ''
  const model = models.length > 1 ? models.find(({ id }) => id === modelId)?.label : undefined
  const spent = usage && [tokensOf(usage, usage.outputTokens), costOf(usage)]
  return [model, ...(spent ?? [])].filter(Boolean).join(' · ')
}

function noticesOf({ notices = [], modelId, status }: AnswerEntry, models: readonly ModelView[]): HTMLElement[] {
  const label = models.find(({ id }) => id === modelId)?.label ?? 'another one'
  const words = {
    context_trimmed: 'This conversation is longer than the model reads, so the oldest messages were left out.',
    model_fallback:
      status === 'done'
        ? `The chosen model was not available, so ${label} answered.`
        : `The chosen model was not available, so ${label} was asked.`,
  } as const
  // A later server may know of more.
  return notices.filter((code) => code in words).map((code) => h('p', { text: words[code] }))
}

/** The conversation that the model was given counts as well, and is most of it. */
function totalOf({ usage, status }: AnswerEntry): string | undefined {
  if (status === 'pending' || !usage) return undefined
  return `${tokensOf(usage, usage.inputTokens + usage.outputTokens)} with the conversation that was read for it`
}
