import { writeSync } from 'node:fs'
import { inCi } from './lib/machine.ts'
import { type Found, finders, type ServerName, type Sources } from './sources.ts'

// Run by `npm test` before any test: finds each server, sets up what is missing where it can, and writes as JSON what the
// tests get to file descriptor 3. What is not named as an argument is not set up, and used where it is there already. People read along on the other two, where what is called from here prints as well.
const RESULT = 3
const needed = process.argv.slice(2)

function say(text: string): void {
  process.stderr.write(text)
}

let failures = 0

async function findOrSetUp<Name extends ServerName>(name: Name): Promise<Sources[Name] | null> {
  const finder = finders[name]
  try {
    const found = await finder.look()
    if (found) {
      say(`${finder.name} for tests: ${finder.describe(found)}\n`)
      return found
    }
    if (!needed.includes(name)) {
      say(`${finder.name} for tests: none; the tests that were asked for do not need it, so none is set up.\n`)
      return null
    }
    const setUp = await finder.setUp()
    if (!setUp) {
      say(`${finder.name} for tests: there is none; its tests are left out. To have them run, ${finder.advice}.\n`)
      failures += 1
      return null
    }
    const start = performance.now()
    say(`${finder.name} for tests: ${setUp.what} … `)
    const made = await setUp.work()
    say(`${((performance.now() - start) / 1000).toFixed(1)} s\n`)
    return made
  } catch (error) {
    say(`\nThe set-up of ${finder.name} for tests has failed: ${error instanceof Error ? error.message : error}\n`)
    say(`Its tests are left out. To have them run, ${finder.advice}.\n`)
    failures += 1
    return null
  }
}

// One after the other: apt takes one at a time.
const found: Found = {
  redis: await findOrSetUp('redis'),
  chromium: await findOrSetUp('chromium'),
  mongo: await findOrSetUp('mongo'),
}
writeSync(RESULT, JSON.stringify(found))
if (failures > 0 && inCi()) {
  say('Under CI every server has to be there.\n')
  process.exitCode = 1
}
