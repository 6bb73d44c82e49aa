import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createKeyring, sealedConversations } from '@chatbox/crypto'
import { runNode } from '@chatbox/testkit/process'
import { available } from '@chatbox/testkit/servers'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { faultsOf } from '../distributed/faults-of.ts'
import { chatter, cleanUp, later } from '../distributed/scene.ts'
import { deploy } from './deploy.ts'
import { heldIn } from './files.ts'
import { newKey, type Ring, ringEnv } from './ring.ts'
import { killedAfter, outcomeOf, startRotation } from './rotation.ts'
import { settled, type Whole, whole } from './scene.ts'

const there = (await available('redis')) && (await available('mongo'))
afterEach(cleanUp)

const patience = { timeout: 120_000, interval: 100 }
const MAINS = ['storage', 'worker'].map((service) =>
  fileURLToPath(new URL(`../../../${service}/dist/main.js`, import.meta.url)),
)

const canary = (name: string) => `canary-${name}-${randomBytes(6).toString('hex')}`

async function rename({ system, backend }: Whole, user: string, sid: string, name: string): Promise<void> {
  const url = new URL(`/chat/sessions/${sid}`, backend.storages[0]?.url)
  const headers = { authorization: `Bearer ${await system.token(user)}`, 'content-type': 'application/json' }
  const { status } = await fetch(url, { method: 'PATCH', headers, body: JSON.stringify({ name }) })
  expect(status).toBe(200)
}

/** What it says to whoever starts it without the old key, while sessions need it. */
async function expectRefused({ backend }: Whole, ring: Ring, sessions: number): Promise<void> {
  for (const main of MAINS) {
    const refused = runNode(main, { env: { ...backend.env, ...ringEnv(ring) } })
    expect((await refused.exited).code).toBe(1)
    expect(refused.output()).toContain(
      `${sessions} sessions are sealed by the key k1, which is not in ENCRYPTION_KEYS.`,
    )
  }
}

describe.skipIf(!there)('the keys of the whole system', { timeout: 600_000 }, () => {
  it('are rotated beside traffic by a command that is killed twice; then the old one goes, and not before (R28)', async () => {
    const [next, old] = [newKey('k2'), newKey('k1')]
    const both: Ring = { keys: [next, old] }
    const alone: Ring = { keys: [next] }
    const all = await whole({
      roamers: 8,
      clockScale: 1,
      patience,
      ring: { ...both, currentId: 'k1' },
      env: { DATA_KEY_TTL: '8s', SHUTDOWN_TIMEOUT: '60s' },
      redisArgs: ['--appendonly', 'yes', '--rdbcompression', 'no'],
    })
    const { backend, roamers, system, stores } = all
    const [words, name] = [canary('text'), canary('name')]
    const talking = chatter(roamers, { text: (n) => `${n}: please say ${words}`, pauseMs: 700 })
    await expect.poll(() => roamers.every(({ accepted }) => accepted.size > 2), patience).toBe(true)
    const places = roamers.map(({ user, accepted }) => ({ user, sid: [...accepted.values()][0]?.sid ?? '' }))
    for (const { user, sid } of places) await rename(all, user, sid, name)
    expect(await backend.sealed.keysInUse()).toEqual(new Map([['k1', roamers.length]]))

    await deploy(all, ringEnv(both))
    await killedAfter(await startRotation(all, both), 'sessions', 3)
    const halfWay = await backend.sealed.keysInUse()
    expect([...halfWay.keys()].sort()).toEqual(['k1', 'k2'])
    await expectRefused(all, alone, halfWay.get('k1') ?? 0)

    await killedAfter(await startRotation(all, both), 'messages', 10)
    const first = await outcomeOf(await startRotation(all, both))
    expect(first).toMatchObject({ code: 1, report: { unopenable: 0, left: roamers.length } })
    expect(await backend.sealed.keysInUse()).toEqual(new Map([['k2', roamers.length]]))
    await pause(Math.max(0, Date.parse(first.report.waitUntil ?? '') - Date.now()))
    const second = await outcomeOf(await startRotation(all, both))
    expect(second).toMatchObject({ code: 0, report: { finished: roamers.length, unopenable: 0, left: 0 } })

    const before = talking.count()
    await deploy(all, ringEnv(alone))
    await expect.poll(() => talking.count(), patience).toBeGreaterThan(before + 20)
    await talking.stop()
    await settled(all, patience)
    await expect.poll(() => faultsOf(system, roamers), patience).toEqual([])

    const hashKey = Buffer.from(backend.env.HASH_KEY ?? '', 'base64')
    const unopenable: string[] = []
    const opened = sealedConversations(backend.sealed, createKeyring({ ...alone, hashKey }), {
      onUnopenable: (place) => void unopenable.push(place),
    })
    const sentences: string[] = []
    for (const { sid } of places) {
      expect((await opened.session(sid as never))?.nm).toBe(name)
      const turns = await opened.turns(sid as never, { after: 0, limit: 1_000 })
      expect(turns.every(({ content }) => content.text.endsWith(words))).toBe(true)
      sentences.push(...turns.flatMap(({ answer }) => sentenceOf(answer?.text ?? '')).slice(0, 1))
    }
    expect(unopenable).toEqual([])
    expect(sentences.length).toBe(roamers.length)

    const secrets = [words, name, ...sentences, ...[next, old].map(({ key }) => Buffer.from(key).toString('base64'))]
    for (const { port } of [stores.realtime, stores.queue]) {
      const admin = new Redis({ host: '127.0.0.1', port })
      later(async () => admin.disconnect())
      await admin.save()
    }
    // The search would find what is there.
    const [{ sid }] = places as [(typeof places)[number]]
    for (const { dir } of [stores.mongo, stores.queue, stores.realtime]) {
      expect(Object.fromEntries(heldIn(dir, secrets))).toEqual({})
      expect([...heldIn(dir, [sid]).keys()]).toEqual([sid])
    }
    // In the database the user's id is in clear (R27), in Redis it is not.
    for (const { dir } of [stores.queue, stores.realtime]) expect([...heldIn(dir, [`user-0`]).keys()]).toEqual([])
  })
})

const sentenceOf = (text: string): string[] =>
  text
    .split(/[.!?\n]/)
    .map((part) => part.trim())
    .filter((part) => part.length > 20)
