// @vitest-environment happy-dom
import type { AnswerState } from '@chatbox/client'
import type { AnswerNotice } from '@chatbox/protocol'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { mountChat } from '../../src/index.ts'
import { answer, type FakeChat, fakeChat, question, session, storedAnswer } from '../fake-chat.ts'

let chat: FakeChat
let root: HTMLElement
let unmount: () => void

beforeEach(() => {
  sessionStorage.clear()
  localStorage.clear()
  location.hash = ''
  chat = fakeChat()
  root = document.createElement('main')
  document.body.replaceChildren(root)
})
afterEach(() => {
  unmount()
  vi.restoreAllMocks()
})

const mount = () => {
  unmount = mountChat(root, chat, { title: 'Help', examples: ['What can you do?'], focus: true })
}
/** Everything that happened is on the screen. */
const drawn = async () => {
  await new Promise((resolve) => setTimeout(resolve, 0))
  await new Promise((resolve) => requestAnimationFrame(resolve))
  await new Promise((resolve) => requestAnimationFrame(resolve))
}
const one = <T extends Element = HTMLElement>(selector: string): T => {
  const found = root.querySelector<T>(selector)
  if (!found) throw new Error(`there is no ${selector}`)
  return found
}
const isShown = (selector: string) => {
  const found = root.querySelector<HTMLElement>(selector)
  return found !== null && found.closest('[hidden]') === null
}
const press = (target: Element, key: string, more: KeyboardEventInit = {}) =>
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more }))
const write = (text: string) => {
  const input = one<HTMLTextAreaElement>('textarea')
  input.value = text
  input.dispatchEvent(new Event('input', { bubbles: true }))
  return input
}
const buttonNamed = (name: string): HTMLElement => {
  const found = [...root.querySelectorAll('button')].find(
    (each) => (each.getAttribute('aria-label') ?? each.textContent) === name && !each.closest('[hidden]'),
  )
  if (!found) throw new Error(`there is no button ${name}`)
  return found
}
const announced = () => root.querySelector('.chatbox > [role="status"]')?.textContent

async function openWith(entries: FakeChat['stored']['messages'], more = {}) {
  chat.stored.messages = entries
  chat.stored.sessions = [session('s', { messageCount: entries.length, ...more })]
  location.hash = '#chat/s'
  mount()
  chat.welcome()
  await drawn()
}

describe('the chat on a page', () => {
  it('connects, greets, and sends an example that was chosen', async () => {
    mount()
    expect(chat.calls).toContainEqual(['connect'])
    chat.welcome()
    await drawn()
    buttonNamed('What can you do?').click()
    await drawn()
    expect(chat.sent[0]?.message.text).toBe('What can you do?')
    expect(isShown('.cb-welcome')).toBe(false)
    expect(one('.cb-message .cb-plain').textContent).toBe('What can you do?')
  })

  it('sends on Enter, begins a new line on Shift and Enter, and leaves Enter to an input method', () => {
    mount()
    const input = write('one')
    press(input, 'Enter', { shiftKey: true })
    press(input, 'Enter', { isComposing: true })
    expect(chat.sent).toHaveLength(0)
    press(input, 'Enter')
    expect(chat.sent.map(({ message }) => message.text)).toEqual(['one'])
    expect(input.value).toBe('')
    press(input, 'Enter')
    write('  \n ')
    press(input, 'Enter')
    expect(chat.sent).toHaveLength(1)
  })

  it('keeps what is written at once after another conversation was opened', async () => {
    await openWith([question('s', 1), storedAnswer('s', 2)])
    write('a draft for this one')
    buttonNamed('New chat').click()
    expect(one<HTMLTextAreaElement>('textarea').value).toBe('')
    write('written before anything was drawn')
    await drawn()
    expect(one<HTMLTextAreaElement>('textarea').value).toBe('written before anything was drawn')
    one('.cb-session').click()
    expect(one<HTMLTextAreaElement>('textarea').value).toBe('a draft for this one')
  })

  it('keeps the same node for a message while it is sent and when it has arrived', async () => {
    mount()
    chat.welcome()
    press(write('hello <b>you</b>\nthere'), 'Enter')
    await drawn()
    const node = one('.cb-message')
    expect(isShown('.cb-on-its-way')).toBe(true)
    const { clientMessageId = '' } = chat.sent[0] ?? {}
    chat.sent[0]?.accept(question('s', 1, { text: 'hello <b>you</b>\nthere', clientMessageId }))
    await drawn()
    expect(one('.cb-message')).toBe(node)
    expect(isShown('.cb-on-its-way')).toBe(false)
    expect(one('.cb-plain').textContent).toBe('hello <b>you</b>\nthere')
    expect(root.querySelector('b')).toBeNull()
    expect(location.hash).toBe('#chat/s')
  })

  it('shows dots before the first word, then the words, then what it cost', async () => {
    await openWith([question('s', 1), storedAnswer('s', 2)])
    chat.emit('message', question('s', 3))
    await drawn()
    expect(isShown('[data-status="pending"] .cb-dots')).toBe(true)
    chat.emit('answer', answer('s', 4, { text: 'Some **bold** words' }))
    await drawn()
    expect(one('[data-status="pending"] strong').textContent).toBe('bold')
    const usage = { inputTokens: 1_000, outputTokens: 2, estimated: true, cost: 1_234 }
    chat.emit('answer', answer('s', 4, { text: 'Some **bold** words', status: 'done', usage }))
    await drawn()
    expect(root.querySelector('[data-status="pending"]')).toBeNull()
    const facts = [...root.querySelectorAll('.cb-facts')].at(-1)
    expect(facts?.textContent).toBe('≈ 2 tokens · ≈ $0.0012')
    expect(facts?.getAttribute('title')).toMatch(/^≈ 1,002 tokens with the conversation/)
  })

  it('says when the model was not told everything, and who stood in, at the end of an answer and after a reload', async () => {
    const notices: AnswerNotice[] = ['context_trimmed', 'model_fallback']
    const models = [
      { id: 'demo', label: 'Demo', default: true },
      { id: 'other', label: 'The Other', default: false },
    ]
    chat.models = models
    await openWith([question('s', 1), { ...storedAnswer('s', 2), modelId: 'other', notices: ['model_fallback'] }])
    const said = () => [...root.querySelectorAll('.cb-notices:not([hidden]) p')].map(({ textContent }) => textContent)
    const stoodIn = 'The chosen model was not available, so The Other answered.'
    expect(said()).toEqual([stoodIn])
    chat.emit('message', question('s', 3))
    chat.emit('answer', answer('s', 4, { text: 'words', status: 'done', modelId: 'other', notices }))
    await drawn()
    expect(said()).toEqual([
      stoodIn,
      'This conversation is longer than the model reads, so the oldest messages were left out.',
      stoodIn,
    ])
    // One that a later server knows is nothing to stumble over.
    const later = {
      ...answer('s', 6, { text: 'words', status: 'failed', modelId: 'gone' }),
      notices: ['later', 'model_fallback'],
    }
    chat.emit('message', question('s', 5))
    chat.emit('answer', later as AnswerState)
    await drawn()
    expect(said().slice(3)).toEqual(['The chosen model was not available, so another one was asked.'])
  })

  it('says what the conversation has taken so far, and what that cost where it is known', async () => {
    await openWith([question('s', 1), storedAnswer('s', 2)])
    expect(isShown('.cb-spent')).toBe(false)
    for (const [totalTokens, totalCost, words] of [
      [1, 0, '≈ 1 token'],
      [12_345, 9_876, '≈ 12,345 tokens · ≈ $0.0099'],
      [12_345, 1_234_567, '≈ 12,345 tokens · ≈ $1.23'],
    ] as const) {
      chat.emit('session', session('s', { totalTokens, totalCost, rev: totalTokens + totalCost }))
      await drawn()
      expect(one('.cb-spent').textContent).toBe(words)
    }
  })

  it('stops the answer with the button or with Escape, and offers that only while there is one', async () => {
    await openWith([question('s', 1), storedAnswer('s', 2)])
    expect(isShown('.cb-stop')).toBe(false)
    press(one('textarea'), 'Escape')
    expect(chat.calls.filter(([name]) => name === 'cancel')).toEqual([])
    chat.emit('message', question('s', 3))
    await drawn()
    buttonNamed('Stop the answer').click()
    press(one('.cb-log'), 'Escape')
    expect(chat.calls.filter(([name]) => name === 'cancel')).toEqual([
      ['cancel', 's', 's-4'],
      ['cancel', 's', 's-4'],
    ])
  })

  it('stops the answer with Escape wherever the focus is, but with none that is meant for something else', async () => {
    await openWith([question('s', 1), storedAnswer('s', 2)])
    chat.emit('message', question('s', 3))
    await drawn()
    const stops = () => chat.calls.filter(([name]) => name === 'cancel').length
    const outside = document.body.appendChild(document.createElement('input'))
    press(outside, 'Escape')
    press(one('textarea'), 'Escape', { isComposing: true })
    press(one('textarea'), 'Escape', { repeat: true })
    expect(stops()).toBe(0)
    for (const [index, place] of [one('.cb-session'), one('.cb-head'), document.body].entries()) {
      press(place, 'Escape')
      expect(stops()).toBe(index + 1)
    }
    unmount()
    press(document.body, 'Escape')
    expect(stops()).toBe(3)
  })

  it('closes the list with Escape where it lies over the conversation, and stops nothing by that', async () => {
    vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(360)
    await openWith([question('s', 1), storedAnswer('s', 2)])
    chat.emit('message', question('s', 3))
    await drawn()
    const stops = () => chat.calls.filter(([name]) => name === 'cancel').length
    buttonNamed('Conversations').click()
    expect(one('.chatbox').hasAttribute('data-drawer')).toBe(true)
    press(one('.cb-session'), 'Escape')
    expect(one('.chatbox').hasAttribute('data-drawer')).toBe(false)
    press(one('.cb-head button'), 'Escape', { repeat: true })
    expect(stops()).toBe(0)
    press(one('.cb-head button'), 'Escape')
    expect(stops()).toBe(1)
  })

  it('goes on in the message box when a conversation was opened by key, and not when by pointer', async () => {
    await openWith([question('s', 1), storedAnswer('s', 2)])
    const row = one('.cb-session')
    row.focus()
    row.dispatchEvent(new MouseEvent('click', { bubbles: true, detail: 1 }))
    expect(document.activeElement).toBe(row)
    row.dispatchEvent(new MouseEvent('click', { bubbles: true, detail: 0 }))
    expect(document.activeElement).toBe(one('textarea'))
  })

  it('says what went wrong with an answer, and asks again when that may help', async () => {
    await openWith([question('s', 1, { text: 'why?' }), { ...storedAnswer('s', 2), status: 'pending', text: '' }])
    const error = { code: 'provider_error', message: 'The model failed to answer.', retryable: true } as const
    chat.emit('answer', answer('s', 2, { text: 'half', status: 'failed', error }))
    await drawn()
    expect(one('.cb-error p').textContent).toBe('The model failed to answer.')
    expect(one('.cb-md').textContent).toBe('half')
    buttonNamed('Try again').click()
    expect(chat.calls).toContainEqual(['regenerate', 's', 1])
    chat.emit('message', question('s', 3))
    await drawn()
    expect(() => buttonNamed('Try again')).toThrow()
  })

  it('offers another answer to the last question, and not in a conversation that has ended', async () => {
    await openWith([question('s', 1), storedAnswer('s', 2), question('s', 3), storedAnswer('s', 4)])
    const offers = () =>
      [...root.querySelectorAll<HTMLElement>('[aria-label="Write another answer"]')].filter(
        (element) => !element.hidden,
      )
    expect(offers()).toHaveLength(1)
    offers()[0]?.click()
    expect(chat.calls).toContainEqual(['regenerate', 's', 3])
    chat.emit('session', session('s', { endedAt: 5 }))
    await drawn()
    expect(offers()).toEqual([])
  })

  it('does not offer to ask again where that would not help', async () => {
    const error = { code: 'provider_rejected', message: 'The model refused this request.', retryable: false } as const
    await openWith([question('s', 1), { ...storedAnswer('s', 2), status: 'failed', error }])
    expect(one('.cb-error p').textContent).toBe('The model refused this request.')
    expect(() => buttonNamed('Try again')).toThrow()
  })

  it('announces that an answer begins and how it ended, but none of its words', async () => {
    await openWith([question('s', 1), storedAnswer('s', 2)])
    expect(announced()).toBe('')
    chat.emit('message', question('s', 3))
    await drawn()
    expect(announced()).toBe('The assistant is answering.')
    // The same words in another node would be spoken again.
    const spoken = one('.chatbox > [role="status"] p')
    chat.emit('answer', answer('s', 4, { text: 'words words' }))
    await drawn()
    expect(one('.chatbox > [role="status"] p')).toBe(spoken)
    expect(announced()).toBe('The assistant is answering.')
    chat.emit('answer', answer('s', 4, { text: 'words words', status: 'done' }))
    await drawn()
    expect(announced()).toBe('The answer is complete.')
    expect(one('[role="log"]').getAttribute('aria-live')).toBe('off')
  })

  it('lists the sessions, marks the open one and those with something new', async () => {
    chat.stored.sessions = [
      session('s', { messageCount: 2, lastActivity: 3, preview: 'What was said last' }),
      session('new', { messageCount: 4, readSeq: 2, lastActivity: 2 }),
      session('read', { messageCount: 4, readSeq: 4, lastActivity: 1 }),
    ]
    chat.stored.messages = [question('s', 1), storedAnswer('s', 2)]
    location.hash = '#chat/s'
    mount()
    chat.welcome()
    await drawn()
    const rows = [...root.querySelectorAll('.cb-session')]
    expect(rows.map((row) => row.getAttribute('aria-current'))).toEqual(['true', null, null])
    expect(rows.map((row) => row.hasAttribute('data-unread'))).toEqual([false, true, false])
    const previews = [...root.querySelectorAll<HTMLElement>('.cb-session-preview')]
    expect(previews.map(({ textContent, hidden }) => hidden || textContent)).toEqual(['What was said last', true, true])
    press(rows[0] as Element, 'ArrowDown')
    expect(document.activeElement).toBe(rows[1])
    press(rows[1] as Element, 'ArrowUp')
    expect(document.activeElement).toBe(rows[0])
  })

  it('offers a choice of models only where there is one', async () => {
    mount()
    chat.welcome('user', [{ id: 'a', label: 'A', default: true }])
    await drawn()
    expect(isShown('.cb-select')).toBe(false)
    chat.welcome('user', [
      { id: 'a', label: 'A', default: false },
      { id: 'b', label: 'B', default: true },
    ])
    await drawn()
    const select = one<HTMLSelectElement>('.cb-select')
    expect(isShown('.cb-select')).toBe(true)
    expect(select.value).toBe('b')
    select.value = 'a'
    select.dispatchEvent(new Event('change'))
    press(write('hello'), 'Enter')
    expect(chat.sent[0]?.message.modelId).toBe('a')
  })

  it('keeps what was being written through a reload, and for each conversation its own', async () => {
    await openWith([question('s', 1), storedAnswer('s', 2)])
    write('for s')
    buttonNamed('New chat').click()
    await drawn()
    expect(one<HTMLTextAreaElement>('textarea').value).toBe('')
    write('for a new chat')
    unmount()
    chat = fakeChat()
    mount()
    chat.stored.sessions = [session('s')]
    chat.stored.messages = [question('s', 1), storedAnswer('s', 2)]
    chat.welcome()
    await drawn()
    expect(one<HTMLTextAreaElement>('textarea').value).toBe('for a new chat')
    one('.cb-session').click()
    await drawn()
    expect(one<HTMLTextAreaElement>('textarea').value).toBe('for s')
  })

  it('tells the state of the connection only when there is something to tell', async () => {
    mount()
    chat.welcome()
    await drawn()
    expect(isShown('.cb-banner')).toBe(false)
    chat.become({ kind: 'waiting', at: Date.now() + 4_500 })
    await drawn()
    expect(one('.cb-banner').textContent).toContain('Trying again in 5 s')
    chat.become({ kind: 'stopped', reason: 'replaced' })
    await drawn()
    expect(one('.cb-banner span').textContent).toBe('This chat goes on in another tab.')
    const before = chat.calls.length
    buttonNamed('Continue here').click()
    expect(chat.calls.slice(before)).toEqual([['connect']])
    chat.become({ kind: 'open' })
    await drawn()
    expect(isShown('.cb-banner')).toBe(false)
  })

  it('takes no more messages where a conversation has ended', async () => {
    await openWith([question('s', 1), storedAnswer('s', 2)], { endedAt: 1 })
    expect(isShown('textarea')).toBe(false)
    buttonNamed('Start a new chat').click()
    await drawn()
    expect(isShown('textarea')).toBe(true)
  })

  it('refuses to send what is longer than the server takes', async () => {
    mount()
    chat.welcome()
    await drawn()
    press(write('é'.repeat(5_001)), 'Enter')
    expect(chat.sent).toHaveLength(0)
    expect(one('.cb-limit').textContent).toBe('Too long by 2 bytes')
    press(write('é'.repeat(5_000)), 'Enter')
    expect(chat.sent).toHaveLength(1)
  })

  it('remembers which colours were chosen', () => {
    mount()
    const before = one('.chatbox').getAttribute('data-theme')
    expect(before).toBeNull()
    buttonNamed('Use dark colours').click()
    expect(one('.chatbox').getAttribute('data-theme')).toBe('dark')
    unmount()
    mount()
    expect(one('.chatbox').getAttribute('data-theme')).toBe('dark')
    expect(buttonNamed('Use light colours')).toBeTruthy()
  })

  it('leaves nothing behind', async () => {
    mount()
    unmount()
    expect(root.childNodes).toHaveLength(0)
    chat.welcome()
    await drawn()
    expect(root.childNodes).toHaveLength(0)
    expect(chat.calls.filter(([name]) => name !== 'connect')).toEqual([])
  })
})
