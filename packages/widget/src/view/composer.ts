import type { Keep } from '../platform/keep.ts'
import { answering, type Model, sessionOf } from '../store/model.ts'
import { button, h, iconButton, setText } from './dom.ts'
import { icon } from './icons.ts'
import { createModelChoice } from './model-choice.ts'

export interface ComposerActions {
  send(text: string): void
  stop(): void
  newChat(): void
  chooseModel(modelId: string): void
}

export interface Composer {
  readonly element: HTMLElement
  focus(): void
  update(model: Model): void
}

export function createComposer(id: string, keep: Keep, actions: ComposerActions): Composer {
  const input = h('textarea', {
    class: 'cb-input',
    attributes: { id, rows: '1', placeholder: 'Write a message…', 'aria-label': 'Message', enterkeyhint: 'send' },
  })
  const send = iconButton('Send', icon('send'), () => submit(), { class: 'cb-send' })
  const stop = iconButton('Stop the answer', icon('stop'), actions.stop, { class: 'cb-stop' })
  const choice = createModelChoice(actions.chooseModel)
  const hint = h('span', { class: 'cb-limit', attributes: { role: 'status' } })
  const box = h(
    'div',
    { class: 'cb-composer-box' },
    input,
    h('div', { class: 'cb-composer-row' }, choice.element, hint, h('span', { class: 'cb-space' }), stop, send),
  )
  const ended = h(
    'p',
    { class: 'cb-ended', hidden: true },
    'This conversation has ended. ',
    button('Start a new chat', actions.newChat, { class: 'cb-link-button' }),
  )
  const element = h('div', { class: 'cb-composer' }, box, ended)

  let limit: number | undefined
  let draft: { key: string; name: string } | undefined

  const submit = () => {
    const text = input.value.trim()
    if (!text || send.disabled) return
    actions.send(text)
    write('')
    input.focus()
  }
  const write = (text: string) => {
    input.value = text
    changed()
  }
  const changed = () => {
    if (draft) keep.write(draft.name, input.value || undefined)
    const size = new TextEncoder().encode(input.value.trim()).length
    const isTooLong = limit !== undefined && size > limit
    setText(hint, isTooLong ? `Too long by ${(size - limit!).toLocaleString()} bytes` : '')
    send.disabled = size === 0 || isTooLong
    grow()
  }
  const grow = () => {
    input.style.height = 'auto'
    input.style.height = `${input.scrollHeight}px`
  }

  input.addEventListener('input', changed)
  input.addEventListener('keydown', (event) => {
    // While an input method composes a character, Enter is its own.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    submit()
  })
  send.disabled = true

  return {
    element,
    focus: () => input.focus(),
    update(model) {
      const { open, userId } = model
      const session = sessionOf(model, open.sid)
      // Whose drafts they are is known once the server has said who this is.
      if (userId !== undefined) {
        const name = `draft.${open.sid ?? 'new'}`
        if (!draft || draft.key !== open.key) {
          const written = draft ? '' : input.value
          draft = { key: open.key, name }
          write(written || (keep.read(name) ?? ''))
        } else if (draft.name !== name) {
          // A new chat has got its id: what was written on meanwhile goes with it.
          keep.write(draft.name)
          draft = { key: open.key, name }
          changed()
        }
      }
      if (model.textLimit !== limit) {
        limit = model.textLimit
        changed()
      }
      stop.hidden = !answering(open)
      choice.update(model)
      const hasEnded = session?.endedAt !== undefined
      box.hidden = hasEnded || open.status === 'missing'
      ended.hidden = !hasEnded
    },
  }
}
