import { auditContract } from '@chatbox/testkit/contracts'
import { onMongo, openedOn } from './support/server.ts'

await onMongo('on a server', (server) => {
  auditContract('MongoDB', async () => {
    const { mongo, close } = await openedOn(server())
    return { audit: mongo.audit, close }
  })
})
