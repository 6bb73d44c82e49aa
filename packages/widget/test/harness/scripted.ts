import type { MessageView, SessionView } from '@chatbox/protocol'
import { answer, type FakeChat, type FakeSending, fakeChat, question, session } from '../fake-chat.ts'
import { long, rich } from './texts.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/** A fake chat that answers by itself, so that the page can be looked at without a server. */
export function scriptedChat(now = Date.now()): FakeChat {
  const chat = fakeChat()
  chat.models = [
    { id: 'demo', label: 'Demo', default: true },
    { id: 'demo-large', label: 'Demo, large', default: false },
  ]
  chat.stored.sessions = sessions(now)
  chat.stored.messages = [...tour(), ...archive()]

  const { send, cancel } = chat
  const running = new Map<string, () => void>()
  chat.connect = () => {
    if (chat.state.kind !== 'open') chat.welcome('user', chat.models)
  }
  chat.send = (message) => {
    const sending = send(message) as FakeSending
    setTimeout(() => reply(chat, sending, running), 80)
    return sending
  }
  chat.cancel = (sid, answerId) => {
    cancel(sid, answerId)
    running.get(answerId)?.()
  }
  chat.markRead = (sid, seq) => update(chat, sid, { readSeq: seq })
  chat.setModel = (sid, modelId) => update(chat, sid, { modelId })
  return chat
}

function update(chat: FakeChat, sid: string, change: Partial<SessionView>): void {
  const old = chat.stored.sessions.find((one) => one.id === sid) ?? session(sid)
  const next = { ...old, ...change, rev: old.rev + 1 }
  chat.stored.sessions = [next, ...chat.stored.sessions.filter((one) => one.id !== sid)]
  chat.emit('session', next)
}

let made = 0

function reply(chat: FakeChat, sending: FakeSending, running: Map<string, () => void>): void {
  const { text = '', clientMessageId = '' } = sending.message
  if (text.includes('refuse')) {
    return sending.refuse({ code: 'session_ended', message: 'This conversation has ended.', retryable: false })
  }
  if (text.includes('wait')) return
  const sid = sending.message.sid ?? `made-${++made}`
  const last = chat.stored.messages.findLast((message) => message.sid === sid)?.seq ?? 0
  const seq = last + 1
  const asked = question(sid, seq, { text, clientMessageId, ts: Date.now() })
  chat.stored.messages.push(asked)
  sending.accept(asked)
  const name = chat.stored.sessions.find((one) => one.id === sid)?.name ?? text
  update(chat, sid, { name, lastActivity: Date.now(), messageCount: seq + 1 })

  const full = /code|tour/i.test(text) ? rich : long
  const end = (status: 'done' | 'failed' | 'cancelled', said: string) => {
    clearInterval(timer)
    const ending = answer(sid, seq + 1, {
      status,
      text: said,
      modelId: 'demo',
      ...(status === 'done' && { usage: { inputTokens: 120, outputTokens: 1_420, estimated: true } }),
      ...(status === 'failed' && {
        error: { code: 'provider_error', message: 'The model failed to answer.', retryable: true },
      }),
    })
    chat.stored.messages.push({ ...ending, author: 'assistant', kind: 'text', ts: Date.now(), modelId: 'demo' })
    chat.emit('answer', ending)
  }
  let at = 0
  const timer = setInterval(() => {
    at += full === long ? 20 : 7
    const said = full.slice(0, at)
    if (/fail/i.test(text) && at > 200) return end('failed', said)
    if (at >= full.length) return end('done', full)
    chat.emit('answer', answer(sid, seq + 1, { text: said, modelId: 'demo' }))
  }, 20)
  running.set(`${sid}-${seq + 1}`, () => end('cancelled', full.slice(0, at)))
}

const names = [
  'How does it keep its promises?',
  'Refund for order 4711',
  'Opening hours over the holidays, and whether the café is open',
  'Ideas for a birthday',
  'Translate a letter',
  'Why is the sky blue?',
  'Packing list for three days in the mountains',
]

const previews = [
  'Every message you see accepted was written to disk by a majority first, and then announced to all your devices.',
  'Your refund is on its way.',
  'Yes: daily from 9 to 17, also on the 26th.',
]

const sessions = (now: number): SessionView[] =>
  names.map((name, n) =>
    session(`s${n}`, {
      name,
      lastActivity: now - n * n * 0.7 * DAY - 5 * MINUTE,
      messageCount: n === 1 ? 7 : 4,
      readSeq: n === 1 ? 4 : 4,
      ...(previews[n] !== undefined && { preview: previews[n] }),
      ...(n === 4 && { endedAt: now - DAY }),
    }),
  )

const said = (sid: string, seq: number, text: string): MessageView => ({
  sid,
  seq,
  ts: seq,
  author: 'assistant',
  kind: 'text',
  text,
  answerId: `${sid}-${seq}`,
  status: 'done',
  modelId: 'demo',
  usage: { inputTokens: 84, outputTokens: 312, estimated: false },
})

const tour = (): MessageView[] => [
  question('s0', 1, { text: 'Show me what an answer can hold.\nAll of it, please.' }),
  said('s0', 2, rich),
  question('s0', 3, { text: 'And the fox?' }),
  said('s0', 4, 'It **jumps**, as ever.'),
  question('s1', 1, { text: 'I would like my money back.' }),
  said('s1', 2, 'I am sorry to hear that. Let me fetch somebody who can help.'),
  { sid: 's1', seq: 3, ts: 3, author: 'system', kind: 'system', text: 'Support joined the conversation.' },
  {
    sid: 's1',
    seq: 4,
    ts: 4,
    author: 'admin',
    kind: 'text',
    name: 'Support',
    text: 'Hello! The refund is on its way.',
  },
  question('s4', 1, { text: 'Translate this, please.' }),
  said('s4', 2, 'With pleasure.'),
]

const archive = (): MessageView[] =>
  Array.from({ length: 150 }, (_, n): MessageView => {
    const seq = n + 1
    return n % 2 === 0
      ? question('s2', seq, { text: `Question ${seq}` })
      : said('s2', seq, `Answer **${seq}**, in short.`)
  })
