import { byteValues, conversationsContract, sealedConversationsContract, withKeys } from '@chatbox/testkit/contracts'
import { openSqlite } from '../src/index.ts'
import { someFolder } from './lib/folder.ts'

async function build() {
  const { file, remove } = someFolder()
  const { conversations } = await openSqlite({ file })
  return { conversations, close: () => conversations.close().finally(remove) }
}

sealedConversationsContract('SQLite', build)

conversationsContract('SQLite', async () => {
  const { conversations, close } = await build()
  return { conversations: withKeys(conversations), content: byteValues, text: byteValues, close }
})
