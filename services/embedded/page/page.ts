import { ChatError, createChat } from '@chatbox/client'
import { mountChat } from '@chatbox/widget'

/** What the demo provider makes of these is a tour of the page. */
const examples = [
  'What can you do?',
  'Show me some code',
  'Answer slowly',
  'Write something long',
  'Fail, please',
] as const

async function demoToken(): Promise<string> {
  const response = await fetch('/chat/demo/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  // None are offered here, and none will be: asking again would only keep people waiting.
  if (response.status === 401 || response.status === 403) {
    throw new ChatError({ code: 'unauthorized', message: 'This chat needs a sign-in.', retryable: false })
  }
  if (!response.ok) throw new Error(`no demo token: status ${response.status}`)
  const body: unknown = await response.json()
  if (typeof body !== 'object' || body === null || !('token' in body) || typeof body.token !== 'string') {
    throw new Error('no demo token in the answer')
  }
  return body.token
}

const root = document.getElementById('chat')
if (!root) throw new Error('the page has no place for the chat')

const chat = createChat({ url: location.origin, token: demoToken })
mountChat(root, chat, { title: 'Chatbox', examples, focus: matchMedia('(pointer: fine)').matches })
