import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { aptInstall, debianMirror } from '../lib/apt.ts'
import { cacheFolder, isDebian, mayInstallPackages, onPath } from '../lib/machine.ts'
import { run } from '../lib/run.ts'
import { asPostgres, DATA, POSTGRES_BIN, SETTINGS, TEMPLATE } from './postgres.ts'

const FERRETDB_VERSION = '2.7.0'
export const FERRETDB = `FerretDB ${FERRETDB_VERSION} on PostgreSQL 18 with DocumentDB`

/** Has the packages, and a newer C library than the stable releases: hence a tree of its own, entered by chroot. */
const SUITE = 'forky'

const PACKAGES = ['', '-documentdb', '-cron', '-pgvector', '-postgis-3'].map((name) => `postgresql-18${name}`)

/** Changes with what is put together, so that an older one is not taken for it. */
export function ferretDbFolder(): string {
  return join(cacheFolder(), `ferretdb-${FERRETDB_VERSION}-postgresql-18`)
}

export function ferretDbPossible(): boolean {
  return mayInstallPackages('debian') && isDebian() && onPath('go') !== undefined
}

/** Puts the servers together beside their place, and moves them there when all is done and was tried. */
export async function setUpFerretDb(): Promise<string> {
  const folder = ferretDbFolder()
  const unfinished = `${folder}.unfinished`
  await removeTree(unfinished)
  await mkdir(unfinished, { recursive: true })
  await Promise.all([setUpPostgres(join(unfinished, 'root')), buildFerretDb(unfinished)])
  await rename(unfinished, folder)
  return folder
}

async function buildFerretDb(folder: string): Promise<void> {
  const source = join(folder, 'source')
  await mkdir(source)
  await writeFile(
    join(source, 'go.mod'),
    `module servers\n\ngo 1.25\n\nrequire github.com/FerretDB/FerretDB/v2 v${FERRETDB_VERSION}\n`,
  )
  const args = ['build', '-trimpath', '-o', join(folder, 'ferretdb'), 'github.com/FerretDB/FerretDB/v2/cmd/ferretdb']
  await run('go', args, { cwd: source, env: { GOFLAGS: '-mod=mod -modcacherw -buildvcs=false', CGO_ENABLED: '0' } })
  await rm(source, { recursive: true })
}

async function setUpPostgres(root: string): Promise<void> {
  const mirror = await debianMirror()
  if (!onPath('debootstrap')) await aptInstall('debootstrap', 'debian-archive-keyring')
  await run('debootstrap', ['--variant=minbase', SUITE, root, mirror, '/usr/share/debootstrap/scripts/sid'])
  await keepQuiet(root)
  const inside = (...args: string[]) =>
    run('chroot', [root, ...args], { env: { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8', PATH: PATH_INSIDE } })
  await inside('apt-get', '-o', 'Acquire::Check-Valid-Until=false', 'update', '-qq')
  const options = ['-y', '-qq', '--no-install-recommends', '-o', `DPkg::Path=${PATH_INSIDE}`]
  await inside('apt-get', 'install', ...options, ...PACKAGES)
  await inside('apt-get', 'clean')
  await rm(join(root, 'var/lib/apt/lists'), { recursive: true })
  await makeTemplate(root)
}

/** With /usr/local, which apt leaves out by itself: keepQuiet() puts a program there. */
const PATH_INSIDE = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Nothing starts, nothing makes a database of its own, and nothing asks for a /proc, which is not mounted in there. */
async function keepQuiet(root: string): Promise<void> {
  const program = { mode: 0o755 }
  await writeFile(join(root, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', program)
  await mkdir(join(root, 'usr/local/sbin'), { recursive: true })
  await writeFile(join(root, 'usr/local/sbin/systemd-tmpfiles'), '#!/bin/sh\nexit 0\n', program)
  await mkdir(join(root, 'etc/postgresql-common'), { recursive: true })
  await writeFile(join(root, 'etc/postgresql-common/createcluster.conf'), 'create_main_cluster = false\n')
  // What is lost when the machine fails in the middle is put together again.
  await writeFile(join(root, 'etc/dpkg/dpkg.cfg.d/chatbox'), 'force-unsafe-io\n')
}

/** A database with the extension in it. Starting a server copies it, which takes a fifth of a second. */
async function makeTemplate(root: string): Promise<void> {
  await run('chroot', [root, 'install', '-d', '-o', 'postgres', '-g', 'postgres', DATA])
  const inDatabase = ['--locale=C.UTF-8', '--encoding=UTF8', '--auth=trust', '--username=postgres', '--no-sync']
  await run(...asPostgres(root, `${POSTGRES_BIN}/initdb`, ...inDatabase, '-D', TEMPLATE))
  await writeFile(join(root, TEMPLATE, 'postgresql.conf'), SETTINGS, { flag: 'a' })
  const single = asPostgres(root, `${POSTGRES_BIN}/postgres`, '--single', '-j', '-D', TEMPLATE, 'postgres')
  await run(...single, { input: 'create extension documentdb cascade' })
}

/** Removes what an interrupted set-up has left, which may have had parts of the machine mounted in it. */
async function removeTree(folder: string): Promise<void> {
  if (!existsSync(folder)) return
  for (const mounted of mountsBelow(folder)) await run('umount', [mounted])
  const left = mountsBelow(folder)
  if (left.length > 0) throw new Error(`${left[0]} is still mounted: unmount it, and remove ${folder}`)
  await rm(folder, { recursive: true })
}

/** Deepest first. */
function mountsBelow(folder: string): string[] {
  const points = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
  return points.filter((point) => point.startsWith(`${folder}/`)).sort((a, b) => b.length - a.length)
}
