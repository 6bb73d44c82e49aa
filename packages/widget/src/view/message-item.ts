import type { FileView, SpokenView } from '@chatbox/protocol'
import type { Outgoing } from '../store/model.ts'
import { button, h, hiddenText, setAttribute, setText } from './dom.ts'
import { icon } from './icons.ts'
import type { Item } from './keyed.ts'

export type MessageShown = { readonly message: SpokenView } | { readonly outgoing: Outgoing }

export interface MessageActions {
  retry(clientMessageId: string): void
  discard(clientMessageId: string): void
}

/** What a person said, as plain text; also while it is on its way, so that it stays where it is when it has arrived. */
export function messageItem(actions: MessageActions): Item<MessageShown> {
  const author = hiddenText('')
  const name = h('p', { class: 'cb-name' })
  const text = h('p', { class: 'cb-plain' })
  const files = h('ul', { class: 'cb-files' })
  const state = h('div', { class: 'cb-sending' })
  const bubble = h('div', { class: 'cb-bubble' }, text, files)
  const element = h('article', { class: 'cb-message' }, author, name, bubble, state)

  return {
    element,
    update(shown) {
      const said = 'message' in shown ? shown.message : shown.outgoing
      const by = 'message' in shown ? shown.message : undefined
      setAttribute(element, 'data-author', by?.author ?? 'user')
      setText(author, (by?.author ?? 'user') === 'user' ? 'You:' : by?.author === 'admin' ? 'Support:' : 'Note:')
      setText(name, by?.author === 'admin' ? (by.name ?? 'Support') : '')
      name.hidden = name.textContent === ''
      setText(text, said.text)
      text.hidden = said.text === ''
      files.replaceChildren(...(said.files ?? []).map(fileRow))
      files.hidden = files.childNodes.length === 0
      state.replaceChildren(...('outgoing' in shown ? stateOf(shown.outgoing, actions) : []))
      state.hidden = state.childNodes.length === 0
    },
  }
}

/** Named, neither linked nor loaded: where a file lies is not for a message to say. */
const fileRow = (file: FileView) =>
  h('li', { text: file.name ?? (file.mimeType?.startsWith('audio/') ? 'Voice message' : 'File') })

function stateOf({ clientMessageId, failure }: Outgoing, actions: MessageActions): HTMLElement[] {
  if (!failure) return [h('span', { class: 'cb-on-its-way', text: 'Sending…' })]
  return [
    h('span', { class: 'cb-not-sent' }, icon('close'), `Not sent. ${failure.message}`),
    button('Try again', () => actions.retry(clientMessageId), { class: 'cb-link-button' }),
    button('Discard', () => actions.discard(clientMessageId), { class: 'cb-link-button' }),
  ]
}
