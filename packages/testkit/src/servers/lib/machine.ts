import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** The first of the programs that is on PATH, as an absolute path. */
export function onPath(...names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  for (const name of names) {
    const found = folders.map((folder) => join(folder, name)).find(isProgram)
    if (found) return found
  }
  return undefined
}

export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    // Not there, or not for this user: either way not one that can be run.
    return false
  }
}

/** What was set up for tests, kept outside the repository so that every clone shares it. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'chatbox-tests')
}

/** Whether packages of a distribution can be installed here without asking anyone. */
export function mayInstallPackages(...distributions: readonly string[]): boolean {
  if (process.getuid?.() !== 0 || !onPath('apt-get')) return false
  const release = osRelease()
  const ids = [release.ID, ...(release.ID_LIKE ?? '').split(' ')]
  return distributions.some((name) => ids.includes(name))
}

/** Whether this is Debian itself: what others derive from it differs in the packages that matter here. */
export function isDebian(): boolean {
  return osRelease().ID === 'debian'
}

export function osRelease(): Readonly<Record<string, string | undefined>> {
  try {
    const lines = readFileSync('/etc/os-release', 'utf8').split('\n')
    return Object.fromEntries(
      lines.map((line) => line.split('=')).map(([key, value = '']) => [key, value.replaceAll('"', '')]),
    )
  } catch {
    // macOS and Windows have no such file; there is nothing to install from there.
    return {}
  }
}

/** Set by every CI: what is missing there is a failure, so that no test is left out unseen. */
export function inCi(): boolean {
  return ['true', '1'].includes(process.env.CI ?? '')
}
