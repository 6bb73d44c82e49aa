import { anyFaultTests } from './lib/faults.mjs'
import { requirePlatform } from './lib/platform.mjs'
import { ready } from './lib/ready.mjs'
import { serversForTests } from './lib/servers.mjs'
import { main } from './lib/step.mjs'
import { vitest } from './lib/vitest.mjs'

// npm run test:faults [-- arguments for vitest]: tests that kill, pause and empty the servers that the others rely on.
requirePlatform()
await main(async () => {
  if (!anyFaultTests()) {
    console.log('There are no fault tests (*.faults.ts) yet.')
    return 0
  }
  await ready()
  return vitest(['--config=scripts/faults.config.ts', ...process.argv.slice(2)], await serversForTests())
})
