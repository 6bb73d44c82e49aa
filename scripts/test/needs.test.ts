import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ALL_SERVERS, NEEDS, serversNeeded } from '../lib/needs.mjs'
import { ROOT } from '../lib/root.mjs'

describe('the servers that are set up', () => {
  it.each([
    ['no argument', []],
    ['a path that is not in the list', ['packages/testkit']],
    ['a part of a path', ['client']],
    ['the whole of a kind', ['packages']],
    ['a name of tests alone', ['-t', 'packages/client']],
    ['paths of which one may need any', ['packages/client', 'packages/testkit']],
  ])('are all of them for %s', (_what, args) => expect(serversNeeded(args)).toEqual(ALL_SERVERS))

  it.each([
    [['packages/client'], []],
    [['./packages/client/test/rest.test.ts', '-t', 'a name', '--bail=1'], []],
    [['packages/clients'], ALL_SERVERS],
    [[join(ROOT, 'packages/widget/')], ['chromium']],
    [
      ['packages/widget', 'packages/redis'],
      ['redis', 'chromium'],
    ],
  ])('are for %j those that the tests there need', (args, servers) => expect(serversNeeded(args)).toEqual(servers))

  it.each(Object.entries(NEEDS))('are all that the tests of %s ask for', (folder, servers) => {
    const asked = testsIn(join(ROOT, folder, 'test')).flatMap((text) =>
      ALL_SERVERS.filter((name) => text.includes(`available('${name}')`)),
    )
    expect(servers).toEqual(expect.arrayContaining(asked))
  })
})

function testsIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
}
