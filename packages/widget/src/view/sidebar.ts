import type { SessionView } from '@chatbox/protocol'
import { isUnread, type Model } from '../store/model.ts'
import { button, h, hiddenText, iconButton, setAttribute, setText } from './dom.ts'
import { icon } from './icons.ts'
import { type Item, keyedList } from './keyed.ts'
import { shortTime } from './time.ts'

export type Opened = 'by key' | 'by pointer'

export interface SidebarActions {
  open(sid: string | undefined, how: Opened): void
  more(): void
  reload(): void
  close(): void
}

export interface Sidebar {
  readonly element: HTMLElement
  update(model: Model): void
}

interface Row {
  readonly session: SessionView
  readonly current: boolean
  readonly unread: boolean
}

export function createSidebar(title: string, actions: SidebarActions): Sidebar {
  const list = h('ul', { class: 'cb-sessions' })
  const nothing = h('p', { class: 'cb-side-note', text: 'Your conversations will be listed here.' })
  const failed = h(
    'p',
    { class: 'cb-side-note' },
    'The list could not be loaded. ',
    button('Try again', actions.reload, { class: 'cb-link-button' }),
  )
  const more = button('Show more', actions.more, { class: 'cb-link-button cb-more' })

  const element = h(
    'nav',
    { class: 'cb-sidebar', attributes: { 'aria-label': 'Conversations' } },
    h(
      'div',
      { class: 'cb-side-head' },
      h('span', { class: 'cb-mark' }, icon('chat')),
      h('h2', { class: 'cb-title', text: title }),
      iconButton('Close the list', icon('close'), actions.close, { class: 'cb-icon-button cb-drawer-only' }),
    ),
    button('New chat', () => actions.open(undefined, 'by pointer'), { class: 'cb-new' }, icon('plus'), 'New chat'),
    h('div', { class: 'cb-side-scroll' }, list, nothing, failed, more),
  )
  list.addEventListener('keydown', moveByArrows)

  const rows = keyedList<Row>(
    list,
    ({ session }) => session.id,
    ({ session }) => rowItem((how) => actions.open(session.id, how)),
  )
  let shown: readonly Row[] = []

  return {
    element,
    update({ sessions, open }) {
      const next = sessions.items.map((session) => {
        const current = session.id === open.sid
        return { session, current, unread: !current && isUnread(session) }
      })
      // Rows that say the same are the same, so that an answer's pieces don't touch the list.
      shown = next.map((row) => shown.find((old) => isSame(old, row)) ?? row)
      rows.update(shown)
      nothing.hidden = sessions.status !== 'ready' || next.length > 0
      failed.hidden = sessions.status !== 'failed'
      more.hidden = sessions.cursor === undefined || sessions.status !== 'ready'
    },
  }
}

const isSame = (a: Row, b: Row): boolean => a.session === b.session && a.current === b.current && a.unread === b.unread

function rowItem(open: (how: Opened) => void): Item<Row> {
  const name = h('span', { class: 'cb-session-name' })
  const time = h('time', { class: 'cb-session-time' })
  const preview = h('span', { class: 'cb-session-preview' })
  const dot = h('span', { class: 'cb-dot' }, hiddenText('Unread.'))
  // A click that no pointer made counts no clicks.
  const click = ({ detail }: MouseEvent) => open(detail === 0 ? 'by key' : 'by pointer')
  const row = h('button', { class: 'cb-session', click, attributes: { type: 'button' } }, name, dot, time, preview)
  return {
    element: h('li', {}, row),
    update({ session, current, unread }) {
      setText(name, session.name ?? 'New chat')
      setText(preview, session.preview ?? '')
      preview.hidden = session.preview === undefined
      setText(time, shortTime(session.lastActivity))
      time.dateTime = new Date(session.lastActivity).toISOString()
      setAttribute(row, 'aria-current', current ? 'true' : undefined)
      setAttribute(row, 'data-unread', unread ? '' : undefined)
      dot.hidden = !unread
    },
  }
}

function moveByArrows(event: KeyboardEvent): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
  if (step === 0 || !(event.currentTarget instanceof HTMLElement)) return
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('.cb-session')]
  const next = rows[rows.indexOf(event.target as HTMLElement) + step]
  if (!next) return
  event.preventDefault()
  next.focus()
}
