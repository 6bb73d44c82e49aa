import { type Model, sessionOf } from '../store/model.ts'
import { h, iconButton, setText } from './dom.ts'
import { icon } from './icons.ts'
import { totalOf } from './spent.ts'

export interface Header {
  readonly element: HTMLElement
  readonly menu: HTMLElement
  update(model: Model): void
}

export function createHeader(theme: HTMLElement, actions: { menu(): void; newChat(): void }): Header {
  const name = h('h2', { class: 'cb-conversation' })
  const helper = h('p', { class: 'cb-helper' })
  const spent = h('p', { class: 'cb-spent', attributes: { title: 'What this conversation has used so far' } })
  const menu = iconButton('Conversations', icon('menu'), actions.menu, { class: 'cb-icon-button cb-narrow-only' })
  const newChat = iconButton('New chat', icon('plus'), actions.newChat, { class: 'cb-icon-button cb-narrow-only' })
  return {
    element: h(
      'header',
      { class: 'cb-head' },
      menu,
      h('div', { class: 'cb-head-text' }, name, helper, spent),
      newChat,
      theme,
    ),
    menu,
    update(model) {
      const session = sessionOf(model, model.open.sid)
      setText(name, session?.name ?? 'New chat')
      setText(helper, session?.assistedBy ? `${session.assistedBy} is helping you` : '')
      helper.hidden = helper.textContent === ''
      setText(spent, session ? totalOf(session) : '')
      spent.hidden = spent.textContent === ''
    },
  }
}
