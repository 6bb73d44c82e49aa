import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from './root.mjs'
import { StepFailed } from './step.mjs'

const SET_UP = join(ROOT, 'packages/testkit/dist/servers/set-up.js')

/**
 * Finds Redis, MongoDB and Chromium for the tests, and sets up what is missing where that is possible. What it found is
 * handed to the tests, so that no test file searches again.
 * @returns {Promise<Record<string, string>>} the environment to run the tests in
 */
export async function serversForTests() {
  const { code, found } = await new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [SET_UP], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })
    let found = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      found += text
    })
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, found: found.trim() }))
  })
  if (code !== 0) throw new StepFailed('The set-up for the tests failed (see above); no test was run.')
  return { CHATBOX_TEST_SERVERS: found }
}
