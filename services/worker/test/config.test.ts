import { readFileSync } from 'node:fs'
import type { SettingDoc } from '@chatbox/runtime'
import { settingsSaidOf } from '@chatbox/testkit/settings-table'
import { expect, it } from 'vitest'
import { workerConfig } from '../src/config.ts'

const sections = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8').split('\n## ')
const rowsOf = (section: string) => section.split('\n').filter((line) => line.startsWith('| `'))

const rowOf = ({ name, about, default: fallback, secret }: SettingDoc): string =>
  `| \`${name}\`${secret ? ` or \`${name}_FILE\`` : ''} | ${fallback ? `\`${fallback}\`` : ''} | ${about} |`

it('docs/configuration.md names what is other for workers of their own, and nothing else', () => {
  const [first = ''] = sections
  const own = sections.find((section) => section.startsWith('Workers of their own')) ?? ''
  const all = workerConfig(
    () => ({ kind: 'single' }),
    () => undefined,
  ).docs.map(rowOf)
  expect(rowsOf(own)).toEqual(all.filter((row) => !rowsOf(first).includes(row)))
})

it('docs/configuration.md says which settings a worker reads', () => {
  const { docs } = workerConfig(
    () => ({ kind: 'single' }),
    () => undefined,
  )
  expect(settingsSaidOf('worker')).toEqual(docs.map(({ name }) => name).sort())
})
