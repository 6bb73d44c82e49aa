import { mkdirSync, writeFileSync } from 'node:fs'
import { publishedSchemas } from './dist/published.js'

mkdirSync(new URL('schema/', import.meta.url), { recursive: true })
for (const [name, schema] of Object.entries(publishedSchemas())) {
  writeFileSync(new URL(`schema/${name}.schema.json`, import.meta.url), `${JSON.stringify(schema, null, 2)}\n`)
}
