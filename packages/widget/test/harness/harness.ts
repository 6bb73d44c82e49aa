import { mountChat } from '../../src/index.ts'
import { createMarkdownView } from '../../src/markdown/view.ts'
import { scriptedChat } from './scripted.ts'

const chat = scriptedChat()
const root = document.getElementById('chat')
if (!root) throw new Error('the page has no place for the chat')

/** To be called by hand, or by what drives the browser. */
const tools = { chat, createMarkdownView }
export type Tools = typeof tools
Object.assign(globalThis, tools)

mountChat(root, chat, {
  title: 'Chatbox',
  examples: ['What can you do?', 'Show me some code', 'Answer slowly', 'Write something long', 'Fail, please'],
  focus: true,
})
