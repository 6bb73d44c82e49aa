import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { BINARIES, type Machine, platformFault, thisMachine } from '../lib/platform.mjs'
import { ROOT } from '../lib/root.mjs'

const DEBIAN_12: Machine = { node: '20.20.2', abi: '115', platform: 'linux', arch: 'x64', glibc: '2.36' }

test.each<[string, Partial<Machine>]>([
  ['Debian 12 with Node 20', {}],
  ['Debian 13 with Node 24', { node: '24.1.0', abi: '137', glibc: '2.41' }],
  ['macOS with Node 22', { node: '22.12.0', abi: '127', platform: 'darwin', arch: 'arm64', glibc: undefined }],
])('%s is fine', (_name, machine) => {
  expect(platformFault({ ...DEBIAN_12, ...machine })).toBeUndefined()
})

test.each<[string, Partial<Machine>, string]>([
  ['an old Node', { node: '18.20.4', abi: '108' }, 'needs Node 20.19 or newer, and this is Node 18.20.4'],
  ['a Node 20 that is too old', { node: '20.9.0' }, 'needs Node 20.19 or newer, and this is Node 20.9.0'],
  [
    'a Node between releases',
    { node: '23.1.0', abi: '131', glibc: '2.41' },
    'no binary for Node 23.1.0 on linux-x64: use Node 20, 21, 22, 24 or 25',
  ],
  ['musl', { glibc: undefined }, 'needs glibc'],
  [
    'Debian 12 with Node 22',
    { node: '22.12.0', abi: '127' },
    'needs glibc 2.38 under Node 22.12.0, and this system has 2.36: use Node 20, or a newer system',
  ],
  [
    'a very old system',
    { glibc: '2.17' },
    'needs glibc 2.27 under Node 20.20.2, and this system has 2.17: use a newer system',
  ],
  ['an unusual machine', { arch: 'riscv64' }, 'no binary for linux-riscv64'],
])('%s is told in one sentence what it needs', (_name, machine, sentence) => {
  const fault = platformFault({ ...DEBIAN_12, ...machine })
  expect(fault).toContain(sentence)
  expect(fault).not.toContain('\n')
})

test('this machine is described as it is', () => {
  expect(thisMachine()).toMatchObject({ node: process.versions.node, abi: process.versions.modules })
})

test('the table of binaries says what the installed package carries', () => {
  const edge = createRequire(join(ROOT, 'services/edge/package.json'))
  const carried = new Set(readdirSync(dirname(edge.resolve('uWebSockets.js'))).filter((file) => file.endsWith('.node')))
  for (const [place, abis] of Object.entries(BINARIES)) {
    for (const abi of Object.keys(abis)) expect(carried).toContain(`uws_${place.replace('-', '_')}_${abi}.node`)
  }
})
