import { readFileSync } from 'node:fs'
import type { SettingDoc } from '@chatbox/runtime'
import { expect, it } from 'vitest'
import { embeddedConfig } from '../src/index.ts'

const page = (name: string): string => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')

const rowOf = ({ name, about, default: fallback, secret }: SettingDoc): string =>
  `| \`${name}\`${secret ? ` or \`${name}_FILE\`` : ''} | ${fallback ? `\`${fallback}\`` : ''} | ${about} |`

it('docs/configuration.md names every setting with its default, and no other', () => {
  const rows = page('configuration.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  expect(rows).toEqual(embeddedConfig.docs.map(rowOf))
})
