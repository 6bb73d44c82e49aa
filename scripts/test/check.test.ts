import { expect, test } from 'vitest'
import { format } from '../lib/checks/format.mjs'
import { secrets } from '../lib/checks/secrets.mjs'
import { shell } from '../lib/checks/shell.mjs'
import { types } from '../lib/checks/types.mjs'
import { repository } from './lib/tree.ts'

const CLEAN = 'export const limit: number = 3\n'

test('a repository without faults passes every check', async () => {
  const root = repository({ 'packages/core/src/index.ts': CLEAN, 'run.sh': '#!/bin/bash\necho hello\n' })
  for (const check of [format, types, secrets, shell]) expect(await check.faults(root), check.name).toEqual([])
})

test('a file that is not formatted is named', async () => {
  const root = repository({ 'packages/core/src/index.ts': 'export const limit : number = 3;\n' })
  expect((await format.faults(root)).join('\n')).toContain('packages/core/src/index.ts')
})

test('a lint fault is named', async () => {
  const root = repository({ 'packages/core/src/index.ts': 'export const limit: any = 3\n' })
  expect((await format.faults(root)).join('\n')).toContain('noExplicitAny')
})

test('a type fault is named with its line', async () => {
  const root = repository({ 'packages/core/src/index.ts': "export const limit: number = 'three'\n" })
  expect((await types.faults(root)).join('\n')).toContain('packages/core/src/index.ts(1,14): error TS2322')
})

test('a shell script that bash cannot read is named', async () => {
  const root = repository({ 'scripts/run': '#!/usr/bin/env bash\nif true; then echo hello\n' })
  expect((await shell.faults(root)).join('\n')).toContain('scripts/run: line')
})

// Put together here, so that this file holds none of them.
const RANDOM = ['q7Zp2Lx9', 'Vt4Kc8Wd', 'Jm3Rf6Ys', 'Hb5Ng1Ea'].join('')
const SECRETS = {
  'a private key': `${'-'.repeat(5)}BEGIN EC PRIVATE KEY${'-'.repeat(5)}`,
  "a provider's API key": `key: sk-${RANDOM}`,
  'an access key of a cloud': `AKIA${'A1B2C3D4E5F6G7H8'}`,
  'an access token of a code host': `ghp_${RANDOM}abcd`,
  'a signed token': `eyJ${RANDOM}.eyJ${RANDOM}.${RANDOM}`,
  'a password in an address': `mongodb+srv://chat:${RANDOM}@db.example.org`,
  'a key that a name is given': `JWT_SECRET=${RANDOM}`,
}

test.each(Object.entries(SECRETS))('%s in a file is found, and not printed', async (what, line) => {
  const root = repository({ 'infra/values.yaml': `name: chatbox\n${line}\n` })
  const faults = await secrets.faults(root)
  expect(faults).toEqual([expect.stringContaining(`infra/values.yaml:2 looks like ${what}`)])
  expect(faults.join('\n')).not.toContain(RANDOM)
})

test('placeholders, long names and lines that say so are not taken for secrets', async () => {
  const root = repository({
    '.env.example': 'JWT_SECRET=replace-with-at-least-32-characters\nREDIS_URL=redis://user:password@localhost:6379\n',
    'packages/core/src/keys.ts': `export const SESSION_KEY = 'chatbox-session-position-by-tab'\n// TOKEN=${RANDOM} not a secret\n`,
  })
  expect(await secrets.faults(root)).toEqual([])
})
