import type { Chat } from '@chatbox/client'
import type { MountOptions } from './options.ts'
import { randomId } from './platform/ids.ts'
import { createKeep } from './platform/keep.ts'
import { hashRoute, noRoute } from './platform/route.ts'
import { answering } from './store/model.ts'
import { createStore } from './store/store.ts'
import { createAnnouncer } from './view/announcer.ts'
import { createBanner } from './view/banner.ts'
import { createComposer } from './view/composer.ts'
import { h } from './view/dom.ts'
import { createDrawer } from './view/drawer.ts'
import { createHeader } from './view/header.ts'
import { createLog } from './view/log.ts'
import { createNote } from './view/note.ts'
import { createSidebar, type Opened } from './view/sidebar.ts'
import { createTheme } from './view/theme.ts'

/**
 * Shows the chat in `root`, whose size it takes, and connects it. Returns how to take it away again; the connection is
 * the caller's to close.
 */
export function mountChat(root: HTMLElement, chat: Chat, options: MountOptions = {}): () => void {
  const title = options.title ?? 'Chat'
  const tab = createKeep(() => sessionStorage)
  const store = createStore({
    chat,
    route: options.address === false ? noRoute : hashRoute(window),
    keep: tab,
    visible: () => document.visibilityState === 'visible',
    onVisible(listener) {
      document.addEventListener('visibilitychange', listener)
      return () => document.removeEventListener('visibilitychange', listener)
    },
  })

  const open = (sid: string | undefined, how: Opened) => {
    store.open(sid)
    // At once: what is written next is for this conversation.
    draw()
    drawer.close()
    // A finger that chooses a conversation wants to read it, and no keyboard over half of the screen.
    if (sid === undefined || how === 'by key') composer.focus()
  }
  const newChat = () => open(undefined, 'by pointer')
  /** What held the focus goes away with what it did. */
  const thenWrite =
    <A extends unknown[]>(action: (...args: A) => void) =>
    (...args: A) => {
      action(...args)
      composer.focus()
    }

  const announcer = createAnnouncer()
  const element = h('div', { class: 'chatbox' })
  const theme = createTheme(
    element,
    createKeep(() => localStorage),
  )
  const banner = createBanner(store.connect)
  const note = createNote(thenWrite(store.dismiss))
  const composer = createComposer(`chatbox-${randomId()}`, tab, {
    send: store.send,
    stop: thenWrite(store.stop),
    newChat,
    chooseModel: store.chooseModel,
  })
  const log = createLog(
    { title, examples: options.examples ?? [] },
    {
      older: store.older,
      reload: store.reload,
      newChat,
      send: thenWrite(store.send),
      again: thenWrite(store.again),
      retry: thenWrite(store.retry),
      discard: thenWrite(store.discard),
      say: announcer.say,
    },
  )
  const header = createHeader(theme.button, { menu: () => drawer.open(), newChat })
  const sidebar = createSidebar(title, {
    open,
    more: store.moreSessions,
    reload: store.reload,
    close: () => drawer.close(),
  })
  const skip = h('a', { class: 'cb-skip', text: 'Skip to the message box', attributes: { href: '#' } })
  const scrim = h('div', { class: 'cb-scrim' })
  const main = h(
    'section',
    { class: 'cb-main', attributes: { 'aria-label': 'Conversation' } },
    header.element,
    banner.element,
    log.element,
    note.element,
    composer.element,
  )
  element.append(skip, sidebar.element, scrim, main, announcer.element)
  root.append(element)
  const drawer = createDrawer(element, { sidebar: sidebar.element, main, scrim, opener: header.menu })

  skip.addEventListener('click', (event) => {
    // The address keeps the conversation.
    event.preventDefault()
    composer.focus()
  })
  const onEscape = (event: KeyboardEvent) => {
    // Held down, the key that closed the drawer would go on to stop the answer.
    if (event.key !== 'Escape' || event.isComposing || event.repeat || event.defaultPrevented) return
    // Where nothing has the focus, as after a click beside everything, the page's body hears the key.
    const isOurs = event.target === document.body || (event.target instanceof Node && element.contains(event.target))
    if (!isOurs) return
    if (drawer.isOpen) drawer.close()
    else if (answering(store.get().open)) store.stop()
  }
  document.addEventListener('keydown', onEscape)

  const parts = [sidebar, header, banner, log, note, composer, announcer]
  let frame: number | undefined
  const draw = () => {
    if (frame !== undefined) cancelAnimationFrame(frame)
    frame = undefined
    for (const part of parts) part.update(store.get())
  }
  // However much happens, what is drawn is drawn once a frame; a tab that nobody sees draws nothing.
  const stopListening = store.listen(() => {
    frame ??= requestAnimationFrame(draw)
  })
  draw()
  if (options.focus) composer.focus()
  chat.connect()

  return () => {
    stopListening()
    document.removeEventListener('keydown', onEscape)
    if (frame !== undefined) cancelAnimationFrame(frame)
    store.close()
    for (const close of [log.close, banner.close, theme.close, drawer.stop]) close()
    element.remove()
  }
}
