import { requirePlatform } from './lib/platform.mjs'
import { ready } from './lib/ready.mjs'
import { serversForTests } from './lib/servers.mjs'
import { main } from './lib/step.mjs'
import { vitest } from './lib/vitest.mjs'

// npm test [-- arguments for vitest]: everything but the fault tests.
requirePlatform()
await main(async () => {
  await ready()
  return vitest(process.argv.slice(2), await serversForTests())
})
