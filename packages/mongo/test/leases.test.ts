import { openMongo } from '@chatbox/mongo'
import { leasesContract } from '@chatbox/testkit/contracts'
import { onMongo, openedOn } from './support/server.ts'

await onMongo('on a server', (server) => {
  leasesContract('MongoDB', async () => {
    let time = 1_700_000_000_000
    const now = () => time
    const { mongo, database, close } = await openedOn(server(), { now })
    const later = openMongo({ uri: server().url, database, now })
    return {
      leases: mongo.leases,
      async pass(ms) {
        time += ms
      },
      again: async () => later.leases,
      close: () => later.close().then(close),
    }
  })
})
