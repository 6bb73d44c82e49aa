import { byteValues, conversationsContract, sealedConversationsContract, withKeys } from '@chatbox/testkit/contracts'
import { onMongo, openedOn } from './support/server.ts'

await onMongo('on a server', (server) => {
  const build = async () => {
    const { mongo, close } = await openedOn(server())
    return { conversations: mongo.conversations, close }
  }

  sealedConversationsContract('MongoDB', build)

  conversationsContract('MongoDB', async () => {
    const { conversations, close } = await build()
    return { conversations: withKeys(conversations), content: byteValues, text: byteValues, close }
  })
})
