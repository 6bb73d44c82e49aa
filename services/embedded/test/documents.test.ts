import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codec, group, loadConfig, type SettingDoc, setting } from '@chatbox/runtime'
import { runNode } from '@chatbox/testkit/process'
import { settingsSaidOf } from '@chatbox/testkit/settings-table'
import { afterEach, expect, it } from 'vitest'
import { embeddedConfig } from '../src/index.ts'
import { cleanUp, dataFolder, startSystem } from './system.ts'

afterEach(cleanUp)

const page = (name: string): string => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')

const rowOf = ({ name, about, default: fallback, secret }: SettingDoc): string =>
  `| \`${name}\`${secret ? ` or \`${name}_FILE\`` : ''} | ${fallback ? `\`${fallback}\`` : ''} | ${about} |`

it('docs/configuration.md names every setting with its default, and no other', () => {
  const [own = ''] = page('configuration.md').split('\n## An edge of its own\n')
  const rows = own.split('\n').filter((line) => line.startsWith('| `'))
  expect(rows).toEqual(embeddedConfig.docs.map(rowOf))
})

it('docs/configuration.md says which settings the embedded shape reads', () =>
  expect(settingsSaidOf('embedded')).toEqual(embeddedConfig.docs.map(({ name }) => name).sort()))

const programs = ['embedded', 'edge', 'storage', 'worker', 'rotate', 'migrate']

it.each(programs)('no setting of another program is taken for one of %s that is misspelt', (program) => {
  const own = settingsSaidOf(program)
  expect(own.length).toBeGreaterThan(2)
  const others = [...new Set(programs.flatMap(settingsSaidOf))].filter((name) => !own.includes(name))
  const env = Object.fromEntries(others.flatMap((name) => [name, `${name}_FILE`]).map((name) => [name, 'x']))
  const about = { about: '', optional: true, secret: true } as const
  const config = group(Object.fromEntries(own.map((name) => [name, setting(name, codec.text, about)])))
  expect(loadConfig(config, env).warnings).toEqual([])
})

it('docs/security.md names tests that there are', () => {
  const rows = page('security.md')
    .split('\n')
    .filter((line) => /^\| \d+ \|/.test(line))
  expect(rows.length).toBeGreaterThan(20)
  for (const row of rows) {
    const shownBy = row.split(' | ').at(-1) ?? ''
    const named = [...shownBy.matchAll(/`([^`]+)` ("[^"]+"(?:, "[^"]+")*)/g)]
    expect(named.length, row).toBe(shownBy.split('`').length >> 1)
    for (const [, file = '', tests = ''] of named) {
      const source = readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8')
      for (const [, name = ''] of tests.matchAll(/"([^"]+)"/g))
        expect(source, `${file} has no test "${name}"`).toContain(name)
    }
  }
})

it('the token server of docs/embedding.md signs what a chat with the same secret takes', async () => {
  const source = /```js\n(\/\/ token-server\.mjs\n.*?)```/s.exec(page('embedding.md'))?.[1] ?? ''
  const script = join(dataFolder(), 'token-server.mjs')
  writeFileSync(script, source)
  const secret = { JWT_SECRET: randomBytes(32).toString('base64url') }
  const server = runNode(script, { env: { ...process.env, ...secret, PORT: '0' } })
  const [, tokens = ''] = await server.waitForOutput(/tokens: (\S+)/)
  const system = await startSystem({ env: secret })
  const sessions = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` }
    const response = await fetch(new URL('/chat/sessions', system.url), { headers })
    return { status: response.status, text: await response.text() }
  }
  const given = await fetch(tokens, { method: 'POST' })
  expect(await sessions(await given.text())).toEqual({ status: 200, text: '{"sessions":[]}' })
  expect((await sessions('of.nobody.here')).status).toBe(401)
})
