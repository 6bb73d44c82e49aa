import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { foreground } from './lib/foreground.mjs'
import { requirePlatform } from './lib/platform.mjs'
import { ready } from './lib/ready.mjs'
import { ROOT } from './lib/root.mjs'
import { main } from './lib/step.mjs'

// npm run bench -- NAME [arguments]: one of scripts/bench/*.bench.ts, compiled, against the built packages.
const SOURCES = join(ROOT, 'scripts/bench')

requirePlatform()
await main(async () => {
  const [name, ...args] = process.argv.slice(2)
  if (name === undefined || !existsSync(join(SOURCES, `${name}.bench.ts`))) {
    const names = readdirSync(SOURCES).flatMap((file) =>
      file.endsWith('.bench.ts') ? file.slice(0, -'.bench.ts'.length) : [],
    )
    const choice = names.length > 0 ? `There are: ${names.join(', ')}.` : 'There are no benchmarks yet.'
    console.log(
      name === undefined ? `npm run bench -- NAME. ${choice}` : `There is no benchmark named ${name}. ${choice}`,
    )
    return name === undefined ? 0 : 1
  }
  await ready()
  return foreground([join(ROOT, `scripts/dist/bench/${name}.bench.js`), ...args])
})
