import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { sessionId } from '@chatbox/core'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSqlite } from '../src/index.ts'
import { someFolder } from './lib/folder.ts'

describe('a process that is killed in the midst of its inserts', () => {
  const { folder, file, remove } = someFolder()
  const program = join(import.meta.dirname, '../node_modules/.insert-until-killed.mjs')

  // Node 20 runs no TypeScript. Bundled to where its driver is found.
  beforeAll(async () => {
    await build({
      entryPoints: [join(import.meta.dirname, 'lib/insert-until-killed.ts')],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      conditions: ['source'],
      external: ['libsql'],
    })
  })
  afterAll(() => {
    rmSync(program, { force: true })
    remove()
  })

  async function insertUntilKilled(sid: string, acknowledged: number): Promise<number[]> {
    const child = spawn(process.execPath, [program, file, sid], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
    const seqs: number[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      seqs.push(Number(line))
      if (seqs.length === acknowledged) child.kill('SIGKILL')
    }
    if (child.signalCode === null) await once(child, 'exit')
    expect(child.signalCode).toBe('SIGKILL')
    return seqs
  }

  it('loses none that was told done, time after time', async () => {
    const sid = sessionId('session-of-the-killed')
    const told = new Set<number>()
    for (const count of [1, 60, 500]) {
      const seqs = await insertUntilKilled(sid, count)
      expect(seqs.length).toBeGreaterThanOrEqual(count)
      for (const seq of seqs) told.add(seq)
      // The log of writes was left behind: this is a recovery, not an orderly opening.
      expect(existsSync(`${file}-wal`)).toBe(true)

      const { conversations, close } = await openSqlite({ file })
      const turns = await conversations.turns(sid, { after: 0, limit: 100_000 })
      const stored = new Set(turns.map(({ seq }) => seq))
      expect([...told].filter((seq) => !stored.has(seq))).toEqual([])
      expect(turns.every(({ content }) => content.length === 80)).toBe(true)
      await close()
    }
  }, 60_000)
})
