import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { killAll, runNode } from '@chatbox/testkit/process'
import { afterEach, describe, expect, it } from 'vitest'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))

afterEach(killAll)

const secret = () => randomBytes(32).toString('base64')
const enough = () => ({
  JWT_SECRET: secret(),
  ENCRYPTION_KEY: secret(),
  HASH_KEY: secret(),
  // Nobody is there: what is only checked asks nobody.
  REDIS_URL: 'redis://127.0.0.1:1',
  PUBLIC_URL: 'https://chat.example.com',
})

async function run(args: readonly string[], env: NodeJS.ProcessEnv) {
  const program = runNode(MAIN, { args, env: { PATH: process.env.PATH, ...env } })
  const { code } = await program.exited
  return { code, output: program.output() }
}

describe('the program of an edge', () => {
  it('says with --check-config that its configuration is complete, and starts nothing (X7)', async () => {
    expect(await run(['--check-config'], enough())).toEqual({ code: 0, output: 'configuration ok\n' })
  })

  it.each([[['--check-config']], [[]]])(
    'names every fault at once and no value, and ends with 1: %j (X7)',
    async (args) => {
      const { code, output } = await run(args, {
        ...enough(),
        JWT_SECRET: 'changeme-canary',
        HASH_KEY: 'canary-key',
        REDIS_URL: 'redis+sentinel://canary:26379',
        PORT: 'canary',
      })
      expect(code).toBe(1)
      const names = output
        .trim()
        .split('\n')
        .map((line) => line.split(':')[0])
      expect(names.sort()).toEqual(['HASH_KEY', 'JWT_SECRET', 'PORT', 'REDIS_URL'])
      expect(output).not.toContain('canary')
    },
  )

  it('tells with --help how it is called, and what it cannot do without', async () => {
    const { code, output } = await run(['--help'], {})
    expect(code).toBe(0)
    expect(output).toContain('Usage: edge [flags]')
    for (const name of ['REDIS_QUEUE_URL', 'REDIS_REALTIME_URL', 'JWT_SECRET', 'ENCRYPTION_KEY', 'HASH_KEY'])
      expect(output).toMatch(new RegExp(`^  ${name} +[A-Z]`, 'm'))
  })

  it('says what it is told with a flag that is not known, and ends with 1', async () => {
    const { code, output } = await run(['--prot=8080'], enough())
    expect({ code, output }).toEqual({ code: 1, output: '--prot: is no known flag; --help tells which there are\n' })
  })
})
