import { osRelease } from './machine.ts'
import { CommandFailed, run } from './run.ts'

const QUIET = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' }

/** Installs packages of the distribution; only where mayInstallPackages() said so. */
export async function aptInstall(...packages: readonly string[]): Promise<void> {
  await run('apt-get', ['update', '-qq'], { env: QUIET })
  const options = ['-y', '-qq', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300']
  await run('apt-get', ['install', ...options, ...packages], { env: QUIET })
}

/** Where this machine gets its Debian packages from. */
export async function debianMirror(): Promise<string> {
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)'
  const targets = await run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'])
  const codename = osRelease().VERSION_CODENAME
  const lines = targets.split('\n').map((line) => line.split(' '))
  const mirror = lines.find(([, release, component]) => release === codename && component === 'main')?.[0]
  if (!mirror) throw new CommandFailed(`no source of Debian ${codename} main is configured for apt`)
  return mirror
}
