import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { CLIENT } from '../src/chat.ts'
import { createChat } from '../src/index.ts'
import { endpoints } from '../src/platform.ts'

const root = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const manifest = JSON.parse(readFileSync(root('package.json'), 'utf8'))

test('as an ES module for browsers it is under 10 kB gzipped and needs nothing else', async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: [root('src/index.ts')],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    metafile: true,
  })
  const [bundle] = outputFiles
  expect(gzipSync(bundle?.contents ?? '').length).toBeLessThan(10_000)
  expect(Object.values(metafile.outputs).flatMap((output) => output.imports)).toEqual([])
  expect(Object.keys(metafile.inputs).filter((input) => !input.includes('client/src/'))).toEqual([])
  expect(manifest.dependencies).toBeUndefined()
})

test('it tells the server its version', () => {
  expect(CLIENT).toBe(`chatbox-client/${manifest.version}`)
})

describe('the address', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
  })
  const of = (url: string) => {
    const { socketUrl, sessionsUrl } = endpoints(url)
    return [socketUrl, sessionsUrl.href]
  }

  test('decides about TLS and may have a path', () => {
    expect(of('https://chat.example.com')).toEqual([
      'wss://chat.example.com/chat/ws',
      'https://chat.example.com/chat/sessions',
    ])
    expect(of('ws://localhost:81/team/')).toEqual([
      'ws://localhost:81/team/chat/ws',
      'http://localhost:81/team/chat/sessions',
    ])
  })

  test('loses what must not travel: query, fragment, name and password', () => {
    expect(of('wss://user:secret@example.com/a?token=x#y')).toEqual([
      'wss://example.com/a/chat/ws',
      'https://example.com/a/chat/sessions',
    ])
  })

  test('may be relative to a page', () => {
    vi.stubGlobal('location', { href: 'https://shop.example.com/cart?x=1' })
    expect(of('/')[0]).toBe('wss://shop.example.com/chat/ws')
    expect(of('/help')[0]).toBe('wss://shop.example.com/help/chat/ws')
  })

  test('that is none is refused at once', () => {
    expect(() => createChat({ url: 'chat', token: () => 't' })).toThrow(TypeError)
    expect(() => createChat({ url: 'ftp://example.com', token: () => 't' })).toThrow(TypeError)
  })
})
