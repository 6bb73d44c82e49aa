import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const packageRoot = join(import.meta.dirname, '../..')
const tsc = join(packageRoot, '../../node_modules/.bin/tsc')

describe('a real process', () => {
  let folder: string
  let program: string
  const children: ChildProcess[] = []

  // Node 20 runs no TypeScript. Compiled within the package, where its dependencies are found.
  beforeAll(() => {
    folder = mkdtempSync(join(packageRoot, 'node_modules/.lifecycle-test-'))
    const compilerOptions = { rootDir: packageRoot, outDir: join(folder, 'out'), noCheck: true, declaration: false }
    const config = {
      extends: join(packageRoot, 'tsconfig.json'),
      compilerOptions,
      files: [join(import.meta.dirname, 'child.ts')],
      include: [],
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    execFileSync(tsc, ['-p', folder])
    program = join(folder, 'out/test/lifecycle/child.js')
  })
  afterAll(() => {
    for (const child of children) if (child.exitCode === null) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  function start(behaviour: string, deadlineMs = 60_000) {
    const child = spawn(process.execPath, [program, behaviour, `${deadlineMs}`], { stdio: ['ignore', 'pipe', 'pipe'] })
    children.push(child)
    const lines: string[] = []
    const waiting = new Set<() => void>()
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line)
        for (const look of waiting) look()
      })
    }
    const said = (text: string) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!lines.some((line) => line.includes(text))) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      })
    const ended = once(child, 'close').then(([code]) => Number(code))
    return { child, lines, said, ended }
  }

  it('has written every line that it logged when it is killed in the next moment', async () => {
    const { lines, ended } = start('dies')
    await ended
    const words = lines.flatMap((line) => /last words \d+/.exec(line) ?? [])
    expect(words).toEqual(Array.from({ length: 20 }, (_, i) => `last words ${i + 1}`))
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('ends with 0 after %s', async (signal) => {
    const { child, said, ended } = start('stops')
    await said('start-up complete')
    child.kill(signal)
    expect(await ended).toBe(0)
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends at once with the code of the second signal (%s: %d)', async (signal, code) => {
    const { child, said, ended } = start('hangs')
    await said('start-up complete')
    child.kill('SIGTERM')
    await said('"stopping"')
    child.kill(signal)
    expect(await ended).toBe(code)
  })

  it('ends with 1 at its deadline, and logs what was forced', async () => {
    const { child, said, ended, lines } = start('hangs', 100)
    await said('start-up complete')
    child.kill('SIGTERM')
    expect(await ended).toBe(1)
    expect(lines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ part: 'part', msg: 'forced to stop' }),
    )
  })

  it('ends with 1 when it cannot start', async () => {
    const { ended, lines } = start('fails')
    expect(await ended).toBe(1)
    expect(lines.some((line) => line.includes('failed to start'))).toBe(true)
  })

  it.each(['throws', 'rejects'])(
    'ends with 1 and JSON lines only when something %s that nobody catches',
    async (behaviour) => {
      const { ended, lines } = start(behaviour)
      expect(await ended).toBe(1)
      expect(lines.map((line) => JSON.parse(line).msg)).toContain('cannot go on')
      expect(lines.join('\n')).not.toContain('canary')
    },
  )
})
