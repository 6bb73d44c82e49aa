import { copyFile, mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const out = here('../dist/page/')

await mkdir(out, { recursive: true })
await Promise.all([
  build({
    entryPoints: [here('page.ts'), here('page.css')],
    outdir: out,
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022', 'chrome123', 'firefox121', 'safari17.5'],
    // From the sources, so that the page needs nothing built before it.
    conditions: ['source'],
    legalComments: 'eof',
    logLevel: 'warning',
  }),
  copyFile(here('index.html'), `${out}index.html`),
  copyFile(here('icon.svg'), `${out}icon.svg`),
])
