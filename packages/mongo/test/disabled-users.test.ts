import { disabledUsersContract } from '@chatbox/testkit/contracts'
import { onMongo, reopenedOn } from './support/server.ts'

await onMongo('on a server', (server) => {
  const open = reopenedOn(server)
  disabledUsersContract('MongoDB', async () => {
    const { mongo, later, close } = await open()
    return { disabledUsers: mongo.disabledUsers, again: async () => later().disabledUsers, close }
  })
})
