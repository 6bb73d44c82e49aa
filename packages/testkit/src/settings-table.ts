import { readFileSync } from 'node:fs'

const PAGE = new URL('../../../docs/configuration.md', import.meta.url)

/** The settings that docs/configuration.md says a program reads, sorted. */
export function settingsSaidOf(program: string): string[] {
  const section =
    readFileSync(PAGE, 'utf8')
      .split('\n## ')
      .find((text) => text.startsWith('Who reads which setting')) ?? ''
  const [heads = [], , ...rows] = section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
  const column = heads.indexOf(program)
  if (column < 0) throw new Error(`the table of settings has no column for ${program}`)
  return rows
    .filter((cells) => cells[column] === 'yes')
    .map(([, name = '']) => name.replaceAll('`', ''))
    .sort()
}
