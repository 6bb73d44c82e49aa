import { button, h } from './dom.ts'
import { icon } from './icons.ts'

/** What a new chat shows: a greeting, and a few questions to begin with. */
export function createWelcome(
  { title, examples }: { title: string; examples: readonly string[] },
  send: (text: string) => void,
): HTMLElement {
  return h(
    'div',
    { class: 'cb-welcome' },
    h('span', { class: 'cb-mark cb-mark-large' }, icon('chat')),
    h('p', { class: 'cb-greeting', text: 'What would you like to know?' }),
    h('p', {
      class: 'cb-hint',
      text: examples.length > 0 ? `Ask ${title} anything, or begin with one of these.` : `Ask ${title} anything.`,
    }),
    h(
      'ul',
      { class: 'cb-examples' },
      ...examples.map((example) =>
        h(
          'li',
          {},
          button(example, () => send(example), { class: 'cb-example' }),
        ),
      ),
    ),
  )
}
