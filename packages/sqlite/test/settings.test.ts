import { expect, it } from 'vitest'
import { openFile } from '../src/open.ts'
import { someFolder } from './lib/folder.ts'

it('a commit is synced to a write-ahead log before it counts, and what is deleted is overwritten (P1, R22)', () => {
  const { file, remove } = someFolder()
  const driver = openFile(file, 0)
  const pragma = (name: string) => driver.prepare(`pragma ${name}`).one()?.[name]
  // 2 is FULL. No kill of the process can show this one; only a power cut would.
  expect([pragma('journal_mode'), pragma('synchronous'), pragma('secure_delete')]).toEqual(['wal', 2, 1])
  driver.close()
  remove()
})
