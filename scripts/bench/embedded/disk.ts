import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const TIMES = 200
const PAGE = Buffer.alloc(4_096, 1)

/** Milliseconds of what bounds every acceptance: a page written and flushed to the disk, where the bench keeps its data. */
export function measureFlushes(): number[] {
  const folder = mkdtempSync(join(tmpdir(), 'chatbox-flush-'))
  const file = openSync(join(folder, 'file'), 'w')
  try {
    return Array.from({ length: TIMES }, () => {
      const start = performance.now()
      writeSync(file, PAGE)
      fdatasyncSync(file)
      return performance.now() - start
    })
  } finally {
    closeSync(file)
    rmSync(folder, { recursive: true, force: true })
  }
}
