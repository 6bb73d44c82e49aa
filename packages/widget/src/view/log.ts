import { copyClicks } from '../markdown/code-block.ts'
import { type Model, outgoingOf } from '../store/model.ts'
import { button, h, setText } from './dom.ts'
import { icon } from './icons.ts'
import { createItem, createItems, type ItemActions, type Shown } from './items.ts'
import { keyedList } from './keyed.ts'
import { createScroll } from './scroll.ts'
import { createWelcome } from './welcome.ts'

export interface LogActions extends ItemActions {
  older(): void
  reload(): void
  newChat(): void
  send(text: string): void
}

export interface Log {
  readonly element: HTMLElement
  update(model: Model): void
  close(): void
}

/** How near to the top older messages are fetched. */
const AHEAD_PX = 400

export function createLog(options: { title: string; examples: readonly string[] }, actions: LogActions): Log {
  const thread = h('div', { class: 'cb-thread' })
  const older = button('Load older messages', actions.older, { class: 'cb-link-button cb-older' })
  const welcome = createWelcome(options, actions.send)
  const trouble = h('div', { class: 'cb-trouble' })
  const content = h('div', { class: 'cb-content' }, older, trouble, welcome, thread)
  // `log` alone would announce each token (aria-live is implied); the announcer does that better.
  const attributes = { role: 'log', 'aria-live': 'off', 'aria-label': 'Messages', tabindex: '0' }
  const box = h('div', { class: 'cb-log', attributes }, content)
  const jump = button('Jump to latest', () => toLatest(), { class: 'cb-jump' }, icon('down'), 'Jump to latest')
  const element = h('div', { class: 'cb-log-frame' }, box, jump)

  const items = createItems(actions)
  const list = keyedList<Shown>(
    thread,
    ({ key }) => key,
    (shown) => createItem(shown, actions),
  )
  let shown = { key: '', first: 0, outgoing: 0 }
  let more = false

  const scroll = createScroll(box, content, () => {
    showJump()
    if (more && box.scrollTop < AHEAD_PX && box.scrollHeight > box.clientHeight) actions.older()
  })
  // Hiding what has the focus would leave whoever goes by keyboard nowhere.
  const showJump = () => {
    jump.hidden = scroll.pinned && !jump.matches(':focus')
  }
  const toLatest = () => {
    scroll.toEnd()
    box.focus({ preventScroll: true })
  }
  jump.addEventListener('blur', () => {
    jump.hidden = scroll.pinned
  })
  const stopCopying = copyClicks(thread, actions.say)

  return {
    element,
    update(model) {
      const { open } = model
      const outgoing = outgoingOf(model).length
      const first = open.entries[0]?.seq ?? 0
      const isOther = open.key !== shown.key
      // Older ones came in above, or the user sent something.
      const isPrepended = !isOther && first < shown.first
      const hasSent = outgoing > shown.outgoing
      shown = { key: open.key, first, outgoing }
      more = open.more && open.older === 'idle'

      const draw = () => {
        older.hidden = !open.more
        setText(older, olderLabel[open.older])
        list.update(items(model))
        trouble.replaceChildren(...troubleOf(model, actions))
        trouble.hidden = trouble.childNodes.length === 0
        welcome.hidden = open.sid !== undefined || outgoing > 0
      }
      if (isPrepended) scroll.keeping(draw)
      else draw()
      if (isOther || hasSent || scroll.pinned) scroll.toEnd()
      showJump()
    },
    close() {
      stopCopying()
      scroll.close()
      list.close()
    },
  }
}

const olderLabel = {
  idle: 'Load older messages',
  loading: 'Loading older messages…',
  failed: 'Older messages could not be loaded. Try again',
} as const

function troubleOf({ open }: Model, actions: LogActions): HTMLElement[] {
  switch (open.status) {
    case 'loading':
      return [h('p', { class: 'cb-loading', text: 'Loading…' })]
    case 'failed':
      return [h('p', { text: 'This conversation could not be loaded.' }), button('Try again', actions.reload)]
    case 'missing':
      return [h('p', { text: 'There is no such conversation.' }), button('Start a new chat', actions.newChat)]
    default:
      return []
  }
}
