import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const css = readFileSync(new URL('../../src/style/tokens.css', import.meta.url), 'utf8')
const colours = new Map(
  [...css.matchAll(/--cb-([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(([, name, light, dark]) => [
    name,
    { light: light ?? '', dark: dark ?? '' },
  ]),
)

/** Relative luminance and contrast as WCAG 2 defines them. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (high + 0.05) / (low + 0.05)
}

const grounds = ['ground', 'side', 'raised', 'soft']
const texts: readonly (readonly [string, readonly string[]])[] = [
  ['text', [...grounds, 'bubble']],
  ['muted', grounds],
  ['accent', ['ground', 'side', 'raised']],
  ['on-accent', ['accent']],
  ['ground', ['text']],
  ['danger', ['ground', 'danger-ground', 'raised']],
  ['notice', ['notice-ground']],
]
const pairs = texts.flatMap(([text, on]) =>
  on.flatMap((ground) => ['light', 'dark'].map((theme) => ({ text, ground, theme }))),
)
const colour = (name: string, theme: string): string => {
  const found = colours.get(name)
  if (!found) throw new Error(`there is no colour ${name}`)
  return theme === 'dark' ? found.dark : found.light
}

describe('the colours', () => {
  it.each(pairs)('let $text be read on $ground in $theme', ({ text, ground, theme }) => {
    expect(contrast(colour(text, theme), colour(ground, theme))).toBeGreaterThanOrEqual(4.5)
  })

  it.each(['light', 'dark'])('let the edges of fields and the focus be seen in %s', (theme) => {
    for (const ground of ['ground', 'raised', 'side']) {
      expect(contrast(colour('edge', theme), colour(ground, theme))).toBeGreaterThanOrEqual(3)
      expect(contrast(colour('accent', theme), colour(ground, theme))).toBeGreaterThanOrEqual(3)
    }
  })
})
