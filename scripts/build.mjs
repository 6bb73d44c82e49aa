import { requirePlatform } from './lib/platform.mjs'
import { ready } from './lib/ready.mjs'
import { main } from './lib/step.mjs'

// npm run build: every package and service whose sources changed.
requirePlatform()
await main(async () => {
  await ready()
  console.log('Built.')
  return 0
})
