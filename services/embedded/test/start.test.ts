import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runNode } from '@chatbox/testkit/process'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, dataFolder, say, startSystem } from './system.ts'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))

/** What a start that can't be says, and how it ends. */
async function fails(args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = runNode(MAIN, { args, env: { ...process.env, ...env } })
  const { code } = await child.exited
  return { code, lines: child.output().trim().split('\n') }
}

describe('a start that cannot be', () => {
  afterEach(cleanUp)

  it('for a port in use says so in one sentence', async () => {
    const taken = createServer()
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port))
    })
    const { code, lines } = await fails(['--port', String(port), '--data', dataFolder()])
    expect({ code, lines }).toEqual({ code: 1, lines: [expect.stringContaining(`Port ${port}`)] })
    taken.close()
  })

  it('for a data folder that is a file says so in one sentence', async () => {
    const file = join(dataFolder(), 'file')
    writeFileSync(file, '')
    const { code, lines } = await fails(['--port', '0', '--data', join(file, 'below')])
    expect({ code, lines }).toEqual({ code: 1, lines: [expect.stringContaining('data folder')] })
  })

  it.runIf(process.platform === 'linux')(
    'for a data folder where none can be made says so in one sentence',
    async () => {
      const { code, lines } = await fails(['--port', '0', '--data', '/proc/nothing/below'])
      expect({ code, lines }).toEqual({ code: 1, lines: [expect.stringContaining('data folder')] })
    },
  )

  it.skipIf(process.getuid?.() === 0)('for a data folder without permission says so in one sentence', async () => {
    const folder = join(dataFolder(), 'locked')
    mkdirSync(folder)
    chmodSync(folder, 0o500)
    const { code, lines } = await fails(['--port', '0', '--data', join(folder, 'below')])
    expect({ code, lines }).toEqual({ code: 1, lines: [expect.stringContaining('data folder')] })
  })

  it('for a folder that another process uses says so in one sentence', async () => {
    const data = dataFolder()
    await startSystem({ data })
    const { code, lines } = await fails(['--port', '0', '--data', data])
    expect({ code, lines }).toEqual({ code: 1, lines: [expect.stringContaining('in use by another process')] })
  })

  it('for an address that this machine does not have says so in one sentence', async () => {
    const { code, lines } = await fails(['--port', '0', '--host', '192.0.2.1', '--data', dataFolder()])
    expect({ code, lines }).toEqual({ code: 1, lines: [expect.stringContaining('192.0.2.1')] })
  })

  it('for damaged secrets says so, and does not make new ones over them', async () => {
    const data = dataFolder()
    writeFileSync(join(data, 'secrets.json'), '{"jwtSecret":"')
    const { code, lines } = await fails(['--port', '0', '--data', data])
    expect({ code, lines }).toEqual({ code: 1, lines: [expect.stringContaining('damaged')] })
    expect(readFileSync(join(data, 'secrets.json'), 'utf8')).toBe('{"jwtSecret":"')
  })

  it('for conversations whose key is lost says so, and makes no new key beside them', async () => {
    const data = dataFolder()
    const system = await startSystem({ data })
    system.process.kill('SIGTERM')
    await system.process.exited
    rmSync(join(data, 'secrets.json'))
    const { code, lines } = await fails(['--port', '0', '--data', data])
    expect({ code, lines }).toEqual({ code: 1, lines: [expect.stringContaining('is missing')] })
    expect(existsSync(join(data, 'secrets.json'))).toBe(false)
  })

  it('for a wrong configuration names every fault at once, and no secret (X7)', async () => {
    const { code, lines } = await fails(['--port', 'eighty'], {
      JWT_SECRET: 'changeme-canary',
      ENCRYPTION_KEY: 'canary-key',
      LOG_LEVEL: 'loud',
    })
    expect(code).toBe(1)
    expect(lines.map((line) => line.split(/[: ]/)[0]).sort()).toEqual([
      'ENCRYPTION_KEY',
      'JWT_SECRET',
      'LOG_LEVEL',
      'PORT',
    ])
    expect(lines.join()).not.toContain('canary')
  })

  it('is told by --check-config alone too, and a good one is ok', async () => {
    expect(await fails(['--check-config'])).toEqual({ code: 0, lines: ['configuration ok'] })
    expect((await fails(['--check-config'], { JWT_SECRET: 'short' })).code).toBe(1)
  })
})

describe('--help', () => {
  it('tells every flag on a line of its own, with the variables that matter, and starts nothing', async () => {
    const { code, lines } = await fails(['--help'], { PORT: 'eighty' })
    expect(code).toBe(0)
    for (const flag of ['--port PORT', '--data DATA_DIR', '--host HOST', '--check-config', '--help'])
      expect(lines.filter((line) => line.trim().startsWith(`${flag} `))).toHaveLength(1)
    for (const name of ['JWT_SECRET', 'WS_ALLOWED_ORIGINS', 'PUBLIC_URL'])
      expect(lines.join('\n')).toContain(`  ${name} `)
  })

  it('is named in the one sentence about a flag that is not known', async () => {
    expect(await fails(['--prot=9000'])).toEqual({
      code: 1,
      lines: ['--prot: is no known flag; --help tells which there are'],
    })
  })
})

describe('a data folder that is removed', () => {
  afterEach(cleanUp)

  it('while the program runs makes it unready, and the log says what is gone', async () => {
    const data = dataFolder()
    const { url, process } = await startSystem({ data })
    const readiness = async () => {
      const response = await fetch(new URL('/chat/readyz', url))
      return { status: response.status, body: await response.json() }
    }
    expect(await readiness()).toMatchObject({ status: 200, body: { status: 'ready', checks: { database: 'ok' } } })
    rmSync(data, { recursive: true })
    expect(await readiness()).toMatchObject({
      status: 503,
      body: { status: 'unready', checks: { database: 'failed' } },
    })
    await process.waitForOutput(/The database \S+ was removed or replaced/)
  })
})

describe('a stop', () => {
  afterEach(cleanUp)

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'by %s ends with 0, says in one line where everything is kept, and frees the port',
    async (signal) => {
      const data = dataFolder()
      const system = await startSystem({ data })
      const port = Number(new URL(system.url).port)
      system.process.kill(signal)
      expect(await system.process.exited).toEqual({ code: 0, signal: null })
      expect(system.process.output()).toMatch(new RegExp(`\\nStopped. Everything is kept in ${data}.\\n$`))
      expect((await startSystem({ port })).url).toBe(system.url)
    },
  )

  it('by a second signal ends at once', async () => {
    const system = await startSystem({ env: { CLOCK_SCALE: '1', SHUTDOWN_TIMEOUT: '20s' } })
    const device = await system.device('tab')
    await say(device, 'Answer slowly and write something long')
    await device.waitFor('answer.delta')
    system.process.kill('SIGINT')
    await device.waitFor('reconnect')
    system.process.kill('SIGINT')
    expect((await system.process.exited).code).toBe(130)
    expect(system.process.output()).not.toContain('Stopped.')
  })
})
