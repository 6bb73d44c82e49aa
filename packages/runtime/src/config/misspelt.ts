import type { Fault } from './fault.ts'
import type { SettingDoc } from './setting.ts'
import type { Env } from './source.ts'

/** Shorter names are too often near to something that has nothing to do with us. */
const SHORTEST = 8
const LONG = 12

/**
 * Variables that nobody reads and that are nearly called like a setting which is not set: what they say would silently not be done. The
 * environment is full of other programs' variables, so nothing else of what nobody reads is told.
 */
export function misspelt(env: Env, docs: readonly SettingDoc[], asked: ReadonlySet<string>): Fault[] {
  const names = docs.flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name]))
  const known = new Set([...names, ...asked])
  const missing = names.filter((name) => name.length >= SHORTEST && !env[name]?.trim())
  return Object.keys(env).flatMap((name) => {
    if (known.has(name)) return []
    const meant = missing.find((candidate) => isNear(name.toUpperCase(), candidate))
    return meant === undefined ? [] : [{ name, sentence: `is no setting of this program; is ${meant} meant?` }]
  })
}

function isNear(name: string, candidate: string): boolean {
  const most = candidate.length < LONG ? 1 : 2
  return Math.abs(name.length - candidate.length) <= most && distance(name, candidate) <= most
}

/** How many letters were left out, put in, changed, or put in the other order. */
function distance(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      const turned = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row[j] = Math.min(
        at(above, j) + 1,
        at(row, j - 1) + 1,
        at(above, j - 1) + (same ? 0 : 1),
        turned ? at(before, j - 2) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    before = above
    above = row
  }
  return at(above, b.length)
}

const at = (row: readonly number[], place: number): number => row[place] ?? Number.POSITIVE_INFINITY
