import { foreground } from './lib/foreground.mjs'
import { requirePlatform } from './lib/platform.mjs'
import { ready } from './lib/ready.mjs'
import { main } from './lib/step.mjs'

// npm start [-- --port N --data DIR]: the whole product in one process, from a fresh clone.
requirePlatform()
await main(async () => {
  await ready()
  return foreground(['services/embedded/dist/main.js', ...process.argv.slice(2)])
})
