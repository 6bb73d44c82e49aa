import { describe, expect, it } from 'vitest'
import { configFromCommandLine, encryptionKeys, group, jwt, listen, webSocketOrigins } from '../../src/index.ts'
import { key32, STRONG_SECRET } from '../support.ts'

const setting = group({ listen: listen(), jwt: jwt(), keys: encryptionKeys(), origins: webSocketOrigins() })
const enough = { JWT_SECRET: STRONG_SECRET, ENCRYPTION_KEY: key32(1).toString('base64') }

function run(argv: string[], env: Record<string, string>) {
  const out: string[] = []
  const err: string[] = []
  const result = configFromCommandLine(setting, {
    argv,
    env,
    flags: { port: 'PORT' },
    help: { call: 'program', variables: ['JWT_SECRET'], more: 'More elsewhere.' },
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
  })
  return { result, out: out.join(''), err: err.join('') }
}

describe('--check-config', () => {
  it('says that all is well, and ends with 0', () =>
    expect(run(['--check-config'], enough)).toEqual({ result: { exitCode: 0 }, out: 'configuration ok\n', err: '' }))

  it('names each missing secret, and ends with 1', () => {
    const { result, out, err } = run(['--check-config'], {})
    expect(result).toEqual({ exitCode: 1 })
    expect(out).toBe('')
    expect(err).toMatch(/^JWT_SECRET: is missing/m)
    expect(err).toMatch(/^ENCRYPTION_KEY: is missing/m)
  })

  it('shows warnings too', () => {
    const { result, err } = run(['--check-config'], { ...enough, WS_ORIGIN_CHECK: 'off' })
    expect(result).toEqual({ exitCode: 0 })
    expect(err).toMatch(/^warning: WS_ORIGIN_CHECK: is off/)
  })
})

describe('--help', () => {
  it('prints a line for each flag with its variable and default, and for the variables that matter', () => {
    const { result, out, err } = run(['--help'], {})
    expect({ result, err }).toEqual({ result: { exitCode: 0 }, err: '' })
    expect(out).toBe(
      [
        'Usage: program [flags]',
        '',
        '  --port PORT     Port to listen on; 0 takes a free one. Default: 8080.',
        '  --check-config  Checks the configuration, and starts nothing.',
        '  --help          Prints this.',
        '',
        'From the environment:',
        '  JWT_SECRET      Shared secret of HS256 tokens, at least 32 characters.',
        '',
        'More elsewhere.',
        '',
      ].join('\n'),
    )
  })

  it('prints flags that stand for no variable among the others', () => {
    const out: string[] = []
    configFromCommandLine(setting, {
      argv: ['--help'],
      env: {},
      help: { call: 'program', switches: [['--look', 'Only looks.']] },
      stdout: { write: (text) => out.push(text) },
    })
    expect(out.join('')).toContain('\n  --look          Only looks.\n  --check-config  ')
  })

  it('helps whoever got everything else wrong too', () =>
    expect(run(['--prot', '9000', '--help'], { PORT: 'x' }).result).toEqual({ exitCode: 0 }))
})

describe('a command line', () => {
  it('gives the configuration when there is nothing to say', () => {
    const { result, out, err } = run([], enough)
    expect(result).toMatchObject({ config: { listen: { port: 8080 } }, warnings: [] })
    expect(out + err).toBe('')
  })

  it.each([[['--port', '9000']], [['--port=9000']]])('wins over the environment (%j)', (argv) =>
    expect(run(argv, { ...enough, PORT: '7000' }).result).toMatchObject({ config: { listen: { port: 9000 } } }),
  )

  it('is refused where it holds what nobody knows, without repeating it', () => {
    const { result, err } = run(['--prot', '9000', 'hunter2secret', '--port'], enough)
    expect(result).toEqual({ exitCode: 1 })
    expect(err).toMatch(/^--prot: is no known flag; --help tells which there are$/m)
    expect(err).toMatch(/^--port: needs a value$/m)
    expect(err).toMatch(/^arguments: hold a word/m)
    expect(err).not.toContain('hunter2secret')
  })

  it('ends with 1 and every fault when the configuration is wrong', () => {
    const { result, err } = run([], { PORT: 'x' })
    expect(result).toEqual({ exitCode: 1 })
    expect(err.trim().split('\n')).toHaveLength(3)
  })
})
