import { sealedConversations } from '@chatbox/crypto'
import { conversationsContract } from '@chatbox/testkit/contracts'
import { ring } from '../rings.ts'
import { someDatabase } from './some-database.ts'

conversationsContract('a sealed SQLite', async () => {
  const { inner, remove } = await someDatabase()
  const onUnopenable = (place: string) => {
    throw new Error(`${place} does not open`)
  }
  const conversations = sealedConversations(inner, ring('k2', 'k1'), { onUnopenable })
  return {
    conversations,
    content: { of: (text) => ({ text }), read: ({ text }) => text },
    text: { of: (text) => text, read: (text) => text },
    close: () => conversations.close().finally(remove),
  }
})
