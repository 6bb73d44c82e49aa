import { sessionId } from '@chatbox/core'
import { byteValues, conversationsContract, sealedConversationsContract, withKeys } from '@chatbox/testkit/contracts'
import { sealedSession } from '@chatbox/testkit/rows'
import { expect, it, onTestFinished } from 'vitest'
import { onMongo, openedOn } from './support/server.ts'

await onMongo('on a server', (server) => {
  const build = async () => {
    const { mongo, close } = await openedOn(server())
    return { conversations: mongo.conversations, close }
  }

  sealedConversationsContract('MongoDB', build)

  it.each([1, 3, 4, 100])('sessions are counted by their keys, %i at a time', async (countSize) => {
    const { mongo, close } = await openedOn(server(), { countSize })
    onTestFinished(close)
    const { conversations } = mongo
    expect(await conversations.keysInUse()).toEqual(new Map())
    const keys = ['k-1', 'k-2', 'k-1', 'k-3', 'k-1', 'k-1', 'k-3', 'k-3']
    const sessions = keys.map((keyId) => sealedSession({ keyId }))
    await Promise.all(sessions.map((session) => conversations.createSession(session)))
    await conversations.eraseKey(sessions[1]?.sid ?? sessionId(''))
    expect(await conversations.keysInUse()).toEqual(
      new Map([
        ['k-1', 4],
        ['k-3', 3],
      ]),
    )
  })

  conversationsContract('MongoDB', async () => {
    const { conversations, close } = await build()
    return { conversations: withKeys(conversations), content: byteValues, text: byteValues, close }
  })
})
