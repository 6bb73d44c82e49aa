import { arrows } from './lib/checks/arrows.mjs'
import { runChecks } from './lib/checks/check.mjs'
import { format } from './lib/checks/format.mjs'
import { secrets } from './lib/checks/secrets.mjs'
import { shell } from './lib/checks/shell.mjs'
import { types } from './lib/checks/types.mjs'
import { requirePlatform } from './lib/platform.mjs'
import { ready } from './lib/ready.mjs'
import { ROOT } from './lib/root.mjs'
import { main } from './lib/step.mjs'

// npm run check: everything that can be said about the sources without running them.
requirePlatform()
await main(async () => {
  await ready({ build: false })
  return (await runChecks([format, types, arrows, secrets, shell], ROOT)) ? 0 : 1
})
