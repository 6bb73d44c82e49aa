import { readFileSync } from 'node:fs'
import type { SettingDoc } from '@chatbox/runtime'
import { settingsSaidOf } from '@chatbox/testkit/settings-table'
import { expect, it } from 'vitest'
import { migrationConfig, rotationConfig, storageConfig } from '../src/config.ts'

const sections = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8').split('\n## ')
const rowsOf = (section: string) => section.split('\n').filter((line) => line.startsWith('| `'))

const rowOf = ({ name, about, default: fallback, secret }: SettingDoc): string =>
  `| \`${name}\`${secret ? ` or \`${name}_FILE\`` : ''} | ${fallback ? `\`${fallback}\`` : ''} | ${about} |`

it('docs/configuration.md names what is other for storage of its own, and nothing else', () => {
  const [first = ''] = sections
  const own = sections.find((section) => section.startsWith('Storage of its own')) ?? ''
  const all = storageConfig(
    () => ({ kind: 'single' }),
    () => undefined,
  ).docs.map(rowOf)
  expect(rowsOf(own)).toEqual(all.filter((row) => !rowsOf(first).includes(row)))
})

const noRedis = () => ({ kind: 'single' }) as const
const noMongo = () => undefined

it.each([
  ['storage', storageConfig(noRedis, noMongo)],
  ['rotate', rotationConfig(noMongo)],
  ['migrate', migrationConfig(noMongo)],
])('docs/configuration.md says which settings %s reads', (program, { docs }) =>
  expect(settingsSaidOf(program)).toEqual(docs.map(({ name }) => name).sort()),
)
