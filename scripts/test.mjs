import { serversNeeded } from './lib/needs.mjs'
import { requirePlatform } from './lib/platform.mjs'
import { ready } from './lib/ready.mjs'
import { serversForTests } from './lib/servers.mjs'
import { main } from './lib/step.mjs'
import { vitest } from './lib/vitest.mjs'

// npm test [-- arguments for vitest]: everything but the fault tests. With paths, only the servers that
// the tests there need are set up.
requirePlatform()
await main(async () => {
  await ready()
  const args = process.argv.slice(2)
  return vitest(args, await serversForTests(serversNeeded(args)))
})
