import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { MessagePage, SessionPage } from '@chatbox/protocol'
import { runNode } from '@chatbox/testkit/process'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, dataFolder, type System, say, startSystem } from './system.ts'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`

async function stopped({ process }: System): Promise<void> {
  process.kill('SIGTERM')
  expect((await process.exited).code).toBe(0)
}

/** What a person who signed in before the keys changed reads. */
async function read(url: string, token: string, sid: string) {
  const get = async <T>(path: string): Promise<T> => {
    const response = await fetch(new URL(path, url), { headers: { authorization: `Bearer ${token}` } })
    return (await response.json()) as T
  }
  const { messages } = await get<MessagePage>(`/chat/sessions/${sid}/messages`)
  const { sessions } = await get<SessionPage>('/chat/sessions')
  return { texts: messages.map(({ text }) => text), names: sessions.map(({ name, preview }) => [name, preview]) }
}

/** A folder with a conversation in it, under a key that is only there. */
async function withConversation() {
  const data = dataFolder()
  const system = await startSystem({ data })
  const token = await system.token()
  const device = await system.device('tab')
  const { sid } = await say(device, 'What are the opening hours?')
  await device.waitFor('session.updated', ({ session }) => session.totalTokens > 0)
  const before = await read(system.url, token, sid)
  await stopped(system)
  const { encryptionKey } = JSON.parse(readFileSync(join(data, 'secrets.json'), 'utf8')) as { encryptionKey: string }
  return { data, sid, token, before, old: `k1:${encryptionKey}` }
}

describe('a data folder whose key is changed', () => {
  afterEach(cleanUp)

  it('is not started without the key that it was made with, and says what is sealed by it (R28)', async () => {
    const { data } = await withConversation()
    const env = { ...process.env, ENCRYPTION_KEYS: key('k2') }
    const child = runNode(MAIN, { args: ['--port', '0', '--data', data], env })
    expect((await child.exited).code).toBe(1)
    expect(child.output().trim().split('\n')).toEqual([
      expect.stringMatching(/^1 session is sealed by the key k1, which is not in ENCRYPTION_KEYS\. .*secrets\.json\.$/),
    ])
  })

  it('comes under the new one while it is used, and then does without the old one, which alone opens nothing more', async () => {
    const { data, sid, token, before, old } = await withConversation()
    const next = key('k2')
    const both = await startSystem({ data, env: { ENCRYPTION_KEYS: `${next},${old}`, LOG_LEVEL: 'info' } })
    await both.process.waitForOutput(/is sealed by the current key/)
    expect(await read(both.url, token, sid)).toEqual(before)
    await stopped(both)

    const child = runNode(MAIN, { args: ['--port', '0', '--data', data] })
    expect((await child.exited).code).toBe(1)
    expect(child.output()).toContain('1 session is sealed by the key k2, which is not in ENCRYPTION_KEYS')

    const alone = await startSystem({ data, env: { ENCRYPTION_KEYS: next } })
    expect(await read(alone.url, token, sid)).toEqual(before)
    expect(before.names).toEqual([['What are the opening hours?', expect.stringMatching(/\w/)]])
  }, 60_000)
})
