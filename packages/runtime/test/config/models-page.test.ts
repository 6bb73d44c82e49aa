import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { modelEntry } from '../../src/config/parts/models/entry.ts'
import { llmTimeouts, modelSpecs, providerConcurrency, workerConcurrency } from '../../src/index.ts'

const page = readFileSync(new URL('../../../../docs/models.md', import.meta.url), 'utf8')

const entries = modelEntry.options.map(({ shape }) => ({
  provider: shape.provider.value,
  fields: Object.entries(shape).flatMap(([name, schema]) => (isRefused(schema) ? [] : [name])),
}))
const providers = entries.map(({ provider }) => provider)

/** Named only to be refused with a sentence of its own. */
function isRefused(schema: z.ZodType): boolean {
  return schema instanceof z.ZodOptional && schema.unwrap() instanceof z.ZodUndefined
}

/** As the page says it: `all`, `all but dify`, `openai, anthropic`. */
function providersSaid(words: string): string[] {
  const [, except] = /^all(?: but (\w+))?$/.exec(words) ?? []
  return words.startsWith('all') ? providers.filter((provider) => provider !== except) : words.split(', ')
}

it('docs/models.md names every field of an entry, and of which providers it is', () => {
  const list = page.split('\n## ').find((section) => section.startsWith('The list\n')) ?? ''
  const said = [...list.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(([, name = '', of = '']) => [
    name,
    providersSaid(of),
  ])
  const names = new Set(entries.flatMap(({ fields }) => fields))
  const taken = [...names].map((name) => [
    name,
    entries.flatMap(({ provider, fields }) => (fields.includes(name) ? [provider] : [])),
  ])
  expect(Object.fromEntries(said)).toEqual(Object.fromEntries(taken))
})

it('docs/models.md names every variable that has to do with models', () => {
  const settings = [modelSpecs({ presets: true }), llmTimeouts(), providerConcurrency(), workerConcurrency()]
  const names = settings.flatMap(({ docs }) => docs.map(({ name }) => name))
  expect(names.length).toBeGreaterThan(10)
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
})

it('docs/models.md has the defaults of the times and places that it names', () => {
  const said = [...page.matchAll(/^\| `([A-Z_]+)` \| `(\w+)` \|/gm)].map(([, name, fallback]) => [name, fallback])
  const docs = [llmTimeouts(), workerConcurrency(), providerConcurrency()].flatMap((setting) => setting.docs)
  expect(Object.fromEntries(said)).toEqual(Object.fromEntries(docs.map((doc) => [doc.name, doc.default])))
})
