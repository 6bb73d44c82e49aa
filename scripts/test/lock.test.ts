import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { temporaryFolder } from '@chatbox/testkit/folders'
import { expect, onTestFinished, test } from 'vitest'
import { alone } from '../lib/lock.mjs'

function lockFile(): string {
  const folder = temporaryFolder('lock')
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'not', 'yet', 'there', 'lock')
}

test('work under one lock never runs at the same time, even where one of it fails', async () => {
  const file = lockFile()
  let inside = 0
  const work = (fails: boolean) => async () => {
    inside += 1
    await turn()
    expect(inside).toBe(1)
    inside -= 1
    if (fails) throw new Error('on purpose')
    return 'done'
  }
  const results = await Promise.allSettled([
    alone(file, work(false)),
    alone(file, work(true)),
    alone(file, work(false)),
  ])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(existsSync(file)).toBe(false)
})

test('a lock whose holder was killed holds nobody up', async () => {
  const file = lockFile()
  await alone(file, async () => undefined)
  const { pid } = spawnSync(process.execPath, ['--version'])
  writeFileSync(file, String(pid))
  expect(await alone(file, async () => 'done')).toBe('done')
})
