import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { alone } from './lock.mjs'
import { ALL_SERVERS } from './needs.mjs'
import { ROOT } from './root.mjs'
import { StepFailed } from './step.mjs'

const SET_UP = join(ROOT, 'packages/testkit/dist/servers/set-up.js')

/** What is set up is shared by every clone that a user has, so the clones take turns. */
const LOCK = join(tmpdir(), `chatbox-servers-${process.getuid?.() ?? 'user'}.lock`)

/**
 * Finds Redis, MongoDB and Chromium for the tests, and sets up what is missing where that is possible. What it found is
 * handed to the tests, so that no test file searches again.
 * @param {readonly string[]} needed what may be set up; the others are used where they are there already
 * @returns {Promise<Record<string, string>>} the environment to run the tests in
 */
export async function serversForTests(needed = ALL_SERVERS) {
  const { code, found } = await alone(LOCK, () => setUp(needed))
  if (code !== 0) throw new StepFailed('The set-up for the tests failed (see above); no test was run.')
  return { CHATBOX_TEST_SERVERS: found }
}

/**
 * @param {readonly string[]} needed
 * @returns {Promise<{ code: number | null, found: string }>}
 */
function setUp(needed) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [SET_UP, ...needed], { cwd: ROOT, stdio: ['ignore', 2, 2, 'pipe'] })
    let found = ''
    child.stdio[3]?.on('data', (chunk) => {
      found += chunk
    })
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, found }))
  })
}
