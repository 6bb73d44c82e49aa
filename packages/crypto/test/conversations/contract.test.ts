import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sealedConversations } from '@chatbox/crypto'
import { openSqlite } from '@chatbox/sqlite'
import { conversationsContract } from '@chatbox/testkit/contracts'
import { ring } from '../rings.ts'

conversationsContract('a sealed SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chatbox-crypto-'))
  const { conversations: inner } = await openSqlite({ file: join(folder, 'chatbox.db') })
  const onUnopenable = (place: string) => {
    throw new Error(`${place} does not open`)
  }
  const conversations = sealedConversations(inner, ring('k2', 'k1'), { onUnopenable })
  return {
    conversations,
    content: { of: (text) => ({ text }), read: ({ text }) => text },
    text: { of: (text) => text, read: (text) => text },
    close: () => conversations.close().finally(() => rm(folder, { recursive: true })),
  }
})
