import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'

/** Machines may share a temp folder, and a process's number says nothing on another one. */
const ROOTS = `chatbox-tests-${hostname().replaceAll(/[^A-Za-z0-9]/g, '')}-`

/** By the temp folder that they are in, which a test may change. */
const roots = new Map<string, string>()

/**
 * A folder for a test, which takes it away itself when it is done. Those of one process are below one root, that ends with the
 * process; what processes left behind that were killed is taken away by the first one that makes a folder afterwards.
 */
export function temporaryFolder(purpose: string): string {
  const within = tmpdir()
  let root = roots.get(within)
  if (root === undefined) {
    takeAwayLeftovers(within)
    root = mkdtempSync(join(within, `${ROOTS}${process.pid}-`))
    roots.set(within, root)
    const own = root
    process.once('exit', () => takeAway(own))
  }
  return mkdtempSync(join(root, `${purpose}-`))
}

function takeAwayLeftovers(within: string): void {
  for (const name of readdirSync(within)) {
    if (!name.startsWith(ROOTS)) continue
    const pid = Number(name.slice(ROOTS.length).split('-')[0])
    if (Number.isInteger(pid) && pid > 0 && !lives(pid)) takeAway(join(within, name))
  }
}

/** Another user's may not be signalled, but lives. */
function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

function takeAway(folder: string): void {
  // Another process may be at the same one.
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
}
