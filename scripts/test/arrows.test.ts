import { expect, test } from 'vitest'
import { forbiddenArrows } from '../lib/arrows/check.mjs'
import { tree } from './lib/tree.ts'

/** The faults of a tree where edge and storage are services and one file, or a few, are as given. */
function faults(files: Readonly<Record<string, string>>): string[] {
  return forbiddenArrows(tree({ 'services/edge/src/index.ts': '', 'services/storage/src/index.ts': '', ...files }))
}

const FORBIDDEN: [why: string, file: string, source: string, rule: string][] = [
  [
    'a package imports one above it',
    'packages/core/src/a.ts',
    "import { x } from '@chatbox/runtime'",
    'may not import runtime',
  ],
  ['protocol imports core', 'packages/protocol/src/a.ts', "export * from '@chatbox/core'", 'may not import core'],
  ['an adapter imports another', 'packages/memory/src/a.ts', "import '@chatbox/sqlite'", 'may not import sqlite'],
  [
    'only a type goes against the order',
    'packages/core/src/a.ts',
    "import type { X } from '@chatbox/crypto'",
    'may not import crypto',
  ],
  [
    'an import type goes against the order',
    'packages/core/src/a.ts',
    "export type X = import('@chatbox/crypto').X",
    'may not import crypto',
  ],
  [
    'import() goes against the order',
    'packages/core/src/a.ts',
    "await import('@chatbox/crypto')",
    'may not import crypto',
  ],
  ['require goes against the order', 'packages/core/src/a.ts', "require('@chatbox/crypto')", 'may not import crypto'],
  [
    'what import() takes is not a literal',
    'packages/core/src/a.ts',
    'await import(globalThis.name)',
    'worked out at run time',
  ],
  ['a new package has no place yet', 'packages/new/src/a.ts', "import '@chatbox/core'", 'has no place in the order'],
  [
    'a service imports another',
    'services/edge/src/main.ts',
    "import '@chatbox/storage'",
    'imports the service storage',
  ],
  [
    'a test of a service imports another service',
    'services/edge/test/a.test.ts',
    "import '@chatbox/storage'",
    'imports the service storage',
  ],
  [
    'a file of a service holds an adapter',
    'services/edge/src/edge.ts',
    "import '@chatbox/memory'",
    'only main.ts chooses adapters',
  ],
  [
    "what runs imports the tests' kit",
    'services/edge/src/main.ts',
    "import '@chatbox/testkit'",
    'testkit is for tests',
  ],
  [
    'the client takes more than types',
    'packages/client/src/a.ts',
    "import { x } from '@chatbox/protocol'",
    'types of protocol only',
  ],
  ['a page imports what needs a server', 'services/embedded/page/a.ts', "import '@chatbox/core'", 'runs in a browser'],
  ['the client imports Node', 'packages/client/src/a.ts', "import { once } from 'node:events'", "is Node's own"],
  [
    'sockets are used away from their home',
    'services/edge/src/edge.ts',
    "import uws from 'uWebSockets.js'",
    'uWebSockets.js is imported in services/edge/src/transport only',
  ],
  [
    'a library with a home is used elsewhere',
    'packages/core/src/a.ts',
    "import { jwtVerify } from 'jose'",
    'jose is imported in packages/runtime/src only',
  ],
  [
    'a file of a library with a home is used elsewhere',
    'services/worker/src/a.ts',
    "import type { X } from '@anthropic-ai/sdk/core'",
    '@anthropic-ai/sdk is imported in',
  ],
  [
    'a relative import leaves the package',
    'packages/core/src/a.ts',
    "import { x } from '../../protocol/src/index.ts'",
    'leaves packages/core/',
  ],
]

test.each(FORBIDDEN)('it is refused that %s', (_why, file, source, rule) => {
  expect(faults({ [file]: `// why this is here\n${source}\n` })).toEqual([expect.stringMatching(`^${file}:2 .*`)])
  expect(faults({ [file]: source })[0]).toContain(rule)
})

test('it is refused that a package.json asks for what the package may not import', () => {
  const manifest = (dependencies: object) => JSON.stringify({ name: 'x', dependencies }, null, 2)
  expect(
    faults({ 'packages/core/package.json': manifest({ '@chatbox/protocol': '1', '@chatbox/redis': '1' }) }),
  ).toEqual([expect.stringMatching(/^packages\/core\/package\.json:5 .*may not import redis/)])
  expect(faults({ 'packages/core/package.json': manifest({ jose: '6.0.0' }) })).toEqual([
    expect.stringMatching(/^packages\/core\/package\.json:4 jose has its home in packages\/runtime\/src/),
  ])
})

test('it is refused that a library without a home has two', () => {
  const found = faults({
    'packages/core/src/a.ts': "import 'nanoid'",
    'packages/memory/src/a.ts': "import 'nanoid/non-secure'",
  })
  expect(found).toEqual([
    expect.stringMatching(/^packages\/memory\/src\/a\.ts:1 nanoid is imported at packages\/core\/src\/a\.ts:1 already/),
  ])
})

test('what the order allows passes', () => {
  const allowed = {
    'packages/protocol/src/a.ts': "import { z } from 'zod'",
    'packages/core/src/a.ts':
      "import { once } from 'node:events'\nimport { x } from './deep/b.ts'\nimport '@chatbox/protocol'",
    'packages/core/src/deep/b.ts': "// import x from '@chatbox/redis'\nexport const x = \"from '@chatbox/redis'\"",
    'packages/memory/src/a.ts': "import '@chatbox/core'\nimport 'rate-limiter-flexible'\nimport 'nanoid'",
    'packages/memory/test/a.test.ts': "import { busContract } from '@chatbox/testkit'\nimport 'ws'",
    'packages/client/src/a.ts': "import type { Frame } from '@chatbox/protocol'",
    'services/edge/src/main.ts': "import '@chatbox/memory'\nimport { createEdge } from './edge.ts'",
    'services/edge/src/edge.ts': "import '@chatbox/core'\nimport '@chatbox/runtime'",
    'services/edge/src/transport/uws.ts': "import uws from 'uWebSockets.js'",
    'services/embedded/src/compose.ts': "import '@chatbox/edge'\nimport '@chatbox/sqlite'",
    'services/embedded/page/page.ts': "import '@chatbox/client'\nimport '@chatbox/widget'",
  }
  expect(faults(allowed)).toEqual([])
})
