import { readFileSync } from 'node:fs'

export const page = readFileSync(new URL('../../../../docs/PROTOCOL.md', import.meta.url), 'utf8')

/** Rows of the first table after this text, without its two head lines; each row is its cells. */
export function tableAfter(text: string): string[][] {
  const start = page.indexOf(text)
  if (start < 0) throw new Error(`docs/PROTOCOL.md does not have ${text}`)
  const lines = page.slice(start).split('\n')
  const first = lines.findIndex((line) => line.startsWith('|'))
  const rest = lines.slice(first)
  const end = rest.findIndex((line) => !line.startsWith('|'))
  return rest.slice(2, end < 0 ? undefined : end).map(cells)
}

const cells = (line: string): string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())

/** What stands between the first pair of backticks. */
export function quoted(cell: string | undefined): string {
  const name = /`([^`]+)`/.exec(cell ?? '')?.[1]
  if (!name) throw new Error(`nothing is quoted in ${cell}`)
  return name
}

/** The quoted names of a cell that are not in an explanation, `?` kept: `sid?`. */
export const quotedNames = (cell: string): string[] =>
  [...cell.replaceAll(/\([^()]*\)/g, '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')

/** The names in the first braces after this text: `{id, name?}` gives `id` and `name?`. */
export function bracedNamesAfter(text: string): string[] {
  const start = page.indexOf(text)
  const braces = start < 0 ? null : /\{([^}]*)\}/.exec(page.slice(start))
  if (!braces?.[1]) throw new Error(`docs/PROTOCOL.md has no braces after ${text}`)
  return braces[1].split(',').map((name) => name.trim())
}
