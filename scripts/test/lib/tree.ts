import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { temporaryFolder } from '@chatbox/testkit/folders'
import { onTestFinished } from 'vitest'
import { ROOT } from '../../lib/root.mjs'

/** A small tree with this repository's settings and the files given; it is gone when the test ends. */
export function tree(files: Readonly<Record<string, string>>): string {
  const root = temporaryFolder('tree')
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const name of ['biome.json', 'tsconfig.json', 'tsconfig.base.json', '.gitignore'])
    cpSync(join(ROOT, name), join(root, name))
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
  writeFileSync(join(root, 'package.json'), '{\n  "type": "module"\n}\n')
  for (const folder of ['packages', 'services']) mkdirSync(join(root, folder))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), content)
  }
  return root
}

/** The same as a git repository, for checks that ask git which files there are. */
export function repository(files: Readonly<Record<string, string>>): string {
  const root = tree(files)
  const made = spawnSync('git', ['init', '--quiet', root])
  if (made.status !== 0) throw new Error(String(made.stderr))
  return root
}
