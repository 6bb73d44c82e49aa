import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT, workspaceFolders } from './root.mjs'
import { must } from './run.mjs'
import { step } from './step.mjs'

const MARK = join(ROOT, 'node_modules/.chatbox-installed')

/** Nothing calls home, and nobody is told of newer versions of what is pinned here. */
export const QUIET = {
  npm_config_update_notifier: 'false',
  TURBO_TELEMETRY_DISABLED: '1',
  TURBO_NO_UPDATE_NOTIFIER: '1',
  DO_NOT_TRACK: '1',
}

/** What to call for pnpm at the version that package.json pins; npx keeps it once it was fetched. */
export function pnpm() {
  const { packageManager } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  return { command: 'npx', args: ['--yes', packageManager], name: packageManager.replace('@', ' ') }
}

/** Installs from the frozen lockfile when what is asked for has changed since the last time. */
export async function ensureInstalled() {
  const wanted = whatIsAskedFor()
  if (existsSync(MARK) && readFileSync(MARK, 'utf8') === wanted) return
  const { command, args, name } = pnpm()
  await step(`Installing dependencies (${name})`, () =>
    must(command, [...args, 'install', '--frozen-lockfile', '--prefer-offline', '--config.confirmModulesPurge=false'], {
      env: QUIET,
    }),
  )
  await writeFile(MARK, wanted)
}

function whatIsAskedFor() {
  const manifests = workspaceFolders().map((folder) => `${folder}/package.json`)
  const files = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc', ...manifests]
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${process.versions.modules}`)
  for (const file of files) {
    const path = join(ROOT, file)
    if (existsSync(path)) hash.update(file).update(readFileSync(path))
  }
  return hash.digest('hex')
}
