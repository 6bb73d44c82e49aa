import type { Model } from '../store/model.ts'
import { h, iconButton, setText } from './dom.ts'
import { icon } from './icons.ts'

/** One sentence above the message box, until it is dismissed or something is sent. */
export function createNote(dismiss: () => void): { element: HTMLElement; update(model: Model): void } {
  const words = h('span')
  const close = iconButton('Dismiss', icon('close'), dismiss)
  const element = h('div', { class: 'cb-note', hidden: true, attributes: { role: 'status' } }, words, close)
  return {
    element,
    update({ note }) {
      element.hidden = note === undefined
      setText(words, note ?? '')
    },
  }
}
