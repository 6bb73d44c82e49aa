import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@chatbox/testkit/folders'
import { onTestFinished } from 'vitest'

/** A folder of its own, and how to take it away. */
export function someFolder() {
  const folder = temporaryFolder('sqlite')
  return { folder, file: join(folder, 'chatbox.db'), remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** The file of one test. */
export function someFile(): string {
  const { file, remove } = someFolder()
  onTestFinished(remove)
  return file
}
