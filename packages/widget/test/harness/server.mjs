import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url))

const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Chatbox</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="icon.svg"><link rel="stylesheet" href="harness.css"><script type="module" src="harness.js"></script>
<body><main id="chat"><h1>Chatbox</h1></main>`
const icon = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

const types = { html: 'text/html; charset=utf-8', js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' }

/**
 * The widget on a scripted chat, under the policy it is meant for; `/?free` is the same without a policy.
 * @param {number} port
 * @returns {Promise<{ url: string, close: () => void }>}
 */
export async function startHarness(port) {
  const { outputFiles } = await build({
    entryPoints: [here('harness.ts'), here('harness.css')],
    outdir: here('.'),
    bundle: true,
    write: false,
    format: 'esm',
    conditions: ['source'],
  })
  const files = new Map([
    ['/', { type: types.html, body: html }],
    ['/icon.svg', { type: types.svg, body: icon }],
    ...outputFiles.map(({ path, text }) => {
      const name = path.slice(here('.').length).replace(/^\//, '')
      return /** @type {const} */ ([`/${name}`, { type: name.endsWith('css') ? types.css : types.js, body: text }])
    }),
  ])

  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://localhost')
    const file = files.get(pathname)
    response.writeHead(file ? 200 : 404, {
      'content-type': file?.type ?? 'text/plain',
      'cache-control': 'no-store',
      ...(search !== '?free' && { 'content-security-policy': policy }),
    })
    response.end(file?.body)
  })
  await new Promise((resolve, reject) => {
    server.on('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(undefined))
  })
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('the harness has no address')
  return {
    url: `http://127.0.0.1:${address.port}/`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
