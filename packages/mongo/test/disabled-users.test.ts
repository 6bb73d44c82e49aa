import { openMongo } from '@chatbox/mongo'
import { disabledUsersContract } from '@chatbox/testkit/contracts'
import { onMongo, openedOn } from './support/server.ts'

await onMongo('on a server', (server) => {
  disabledUsersContract('MongoDB', async () => {
    const { mongo, database, close } = await openedOn(server())
    const later = openMongo({ uri: server().url, database })
    return {
      disabledUsers: mongo.disabledUsers,
      again: async () => later.disabledUsers,
      close: () => later.close().then(close),
    }
  })
})
