import type { ChatState } from '@chatbox/client'
import type { Model } from '../store/model.ts'
import { button, h, setText } from './dom.ts'

export interface Banner {
  readonly element: HTMLElement
  update(model: Model): void
  close(): void
}

/** A connection that takes no longer than this needs no words. */
const QUIET_MS = 900

const STOPPED: Readonly<Record<string, string>> = {
  replaced: 'This chat goes on in another tab.',
  connection_limit: 'Too many chats are open at once.',
  forbidden: 'This chat is not open to you.',
  disabled: 'This account is disabled.',
  unauthorized: 'This chat needs a sign-in.',
}

export function createBanner(connect: () => void): Banner {
  const words = h('span')
  const again = button('Reconnect', connect, { class: 'cb-link-button' })
  const element = h('div', { class: 'cb-banner', hidden: true, attributes: { role: 'status' } }, words, again)

  let timer: ReturnType<typeof setTimeout> | undefined
  let state: ChatState = { kind: 'open' }

  const show = (text: string, action?: string) => {
    setText(words, text)
    again.hidden = action === undefined
    setText(again, action ?? '')
    element.hidden = false
  }
  const countDown = (at: number) => {
    const seconds = Math.ceil((at - Date.now()) / 1_000)
    show(seconds > 0 ? `No connection. Trying again in ${seconds} s.` : 'No connection. Trying again…')
    timer = setTimeout(() => countDown(at), 1_000)
  }

  return {
    element,
    update({ connection }) {
      if (connection === state) return
      const before = state
      state = connection
      clearTimeout(timer)
      switch (connection.kind) {
        case 'waiting':
          return countDown(connection.at)
        case 'stopped':
          return show(
            STOPPED[connection.reason] ?? 'The connection has ended.',
            connection.reason === 'replaced' ? 'Continue here' : 'Reconnect',
          )
        case 'connecting':
          if (before.kind === 'waiting') return show('Connecting…')
          element.hidden = true
          timer = setTimeout(() => show('Connecting…'), QUIET_MS)
          return
        default:
          element.hidden = true
      }
    },
    close: () => clearTimeout(timer),
  }
}
