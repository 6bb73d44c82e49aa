import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { temporaryFolder } from '../src/folders/index.ts'
import { killAll, runNode } from '../src/process/index.ts'

const PROGRAM = fileURLToPath(new URL('lib/makes-a-folder.mjs', import.meta.url))

describe('folders of tests', () => {
  let within: string
  beforeEach(() => {
    within = mkdtempSync(join(tmpdir(), 'chatbox-folders-'))
    vi.stubEnv('TMPDIR', within)
  })
  afterEach(async () => {
    await killAll()
    vi.unstubAllEnvs()
    rmSync(within, { recursive: true })
  })

  const start = (how: 'stay' | 'end') => runNode(PROGRAM, { args: [how] })
  async function folderOf(program: ReturnType<typeof start>): Promise<string> {
    const [, folder = ''] = await program.waitForOutput(/made (\S+)/)
    return folder
  }

  it('are several below one root', () => {
    const folders = [temporaryFolder('a'), temporaryFolder('a'), temporaryFolder('b')]
    expect(new Set(folders).size).toBe(3)
    for (const folder of folders) expect(existsSync(folder)).toBe(true)
    expect(readdirSync(within)).toHaveLength(1)
  })

  it('go with their process when it ends by itself', async () => {
    const program = start('end')
    const folder = await folderOf(program)
    await program.exited
    expect(existsSync(folder)).toBe(false)
    expect(readdirSync(within)).toEqual([])
  })

  it('go with the next process when theirs was killed, and those of one that lives stay', async () => {
    const [killed, living] = [start('stay'), start('stay')]
    const [left, held] = [await folderOf(killed), await folderOf(living)]
    killed.kill('SIGKILL')
    await killed.exited
    expect(existsSync(left)).toBe(true)
    const next = start('end')
    await folderOf(next)
    await next.exited
    expect([existsSync(left), existsSync(held)]).toEqual([false, true])
    expect(readdirSync(within)).toHaveLength(1)
  })
})
