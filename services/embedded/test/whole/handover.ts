import { expect } from 'vitest'
import type { StorageProcess } from './backend.ts'
import { replaced } from './faults.ts'
import { statusOf } from './probes.ts'
import type { Whole, WholeOptions } from './scene.ts'
import { insertsFor, living, ownerOf, statusOfRequest, type Witness } from './witness.ts'

type Patience = WholeOptions['patience']

const acceptedBy = ({ roamers }: Whole): number => roamers.reduce((sum, { accepted }) => sum + accepted.size, 0)

/** Somebody else has every partition of a replica that stands still, and works there. */
async function takenOver(it: Whole, patience: Patience): Promise<void> {
  await expect.poll(async () => Math.max(...(await it.backend.leases.replicas()).values()), patience).toBe(64)
  const before = acceptedBy(it)
  await expect.poll(() => acceptedBy(it), patience).toBeGreaterThan(before + 10)
}

/**
 * A session has another name, and nobody has been told: the process would have read that it is stored, and dies. Nobody asks again, and
 * no sweeper looks after names; that the entry is still in the log is all there is (R8).
 */
export async function killBetweenRenameAndAnnouncement(it: Whole, quiet: Witness, patience: Patience): Promise<void> {
  const name = `renamed by ${quiet.user}`
  let killed: StorageProcess | undefined
  for (const storage of living(it)) {
    storage.wires.mongo.onReply(({ name: command, body }) => {
      if (killed || command !== 'update' || body.update !== 'sessions') return undefined
      if (!body.updates.some(({ q }: { q: Record<string, unknown> }) => q._id === quiet.sid)) return undefined
      killed = storage
      storage.process.kill('SIGKILL')
      return 'cut'
    })
  }
  // Its partition may be on its way from one replica to another, and then nothing comes of it.
  const ask = async () => {
    const [asked] = living(it)
    if (!killed && asked) await statusOfRequest(it, asked, quiet, 'PATCH', { name })
    return killed
  }
  await expect.poll(ask, patience).toBeDefined()
  if (!killed) throw new Error('nobody was killed')
  await replaced(it, killed)
  await expect.poll(() => quiet.name, patience).toBe(name)
}

/**
 * A replica goes on where it was, long after its partitions have another owner (fault 31): with what it remembers of a session in which
 * more was said meanwhile it takes the next message, and hears too late that it should not.
 */
export async function writeAfterTheHandover(it: Whole, quiet: Witness, patience: Patience): Promise<void> {
  const { owner, others } = await ownerOf(it, quiet, patience)
  const letGo = { now: (): void => undefined }
  const held = new Promise<void>((resolve) => {
    letGo.now = resolve
  })
  owner.process.kill('SIGSTOP')
  try {
    await takenOver(it, patience)
    const second = await quiet.say('has anybody taken over?')
    await quiet.atRest()
    for (const { wires } of others) wires.queue.freeze('to-server')
    const third = quiet.say('who takes this?')
    // A test that fails before it is accepted has said why.
    third.catch(() => undefined)
    const { ingest } = it.backend.fabric
    await expect.poll(async () => (await ingest.backlog(quiet.partition)).waiting, patience).toBeGreaterThan(0)
    owner.wires.mongo.onReply(({ name, body }) => (body[name] === 'leases' ? held : undefined))
    const asked = owner.wires.mongo.commands.length
    owner.process.kill('SIGCONT')
    // The proof that it hit: it wants the place of what it has never heard of.
    await expect.poll(() => insertsFor(owner, quiet.sid, asked)[0]?.seq, patience).toBe(second.seq)
    for (const { wires } of others) wires.queue.thaw()
    letGo.now()
    expect((await third).seq).toBe(second.seq + 2)
  } finally {
    owner.process.kill('SIGCONT')
    owner.wires.mongo.onReply(() => undefined)
    letGo.now()
    for (const { wires } of others) wires.queue.thaw()
  }
}

/**
 * What a replica had to say of a message is on its way for so long that its partitions have another owner, who has told of the message,
 * and has erased its session then. Nobody may hear of it when it arrives at last (R6, R22).
 */
export async function announceAfterTheHandover(it: Whole, quiet: Witness, patience: Patience): Promise<void> {
  let found: StorageProcess | undefined
  for (const storage of living(it)) {
    storage.wires.mongo.onReply(({ name, body }) => {
      if (found || name !== 'insert' || body.insert !== 'messages') return undefined
      if (!body.documents.some(({ sid }: Record<string, unknown>) => sid === quiet.sid)) return undefined
      found = storage
      storage.wires.realtime.freeze('to-server')
      return undefined
    })
  }
  const second = quiet.say('forget this')
  second.catch(() => undefined)
  await expect.poll(() => found?.wires.realtime.kept, patience).toBeGreaterThan(0)
  if (!found) throw new Error('nobody has written it')
  const owner = found
  const others = living(it).filter((storage) => storage !== owner)
  const { realtime, mongo } = owner.wires
  // What follows from a reply is done before it answers these, which came after it.
  for (let i = 0; i < 3; i += 1) expect(await statusOf(owner, 'healthz')).toBe(200)
  owner.process.kill('SIGSTOP')
  mongo.onReply(() => undefined)
  try {
    await takenOver(it, patience)
    await second
    const [next] = others
    if (!next) throw new Error('there is no other replica')
    const erased = () => statusOfRequest(it, next, quiet, 'DELETE')
    await expect.poll(erased, patience).toSatisfy((status) => status === 204 || status === 404)
    await expect.poll(() => quiet.erasedAfter, patience).toBeDefined()
  } finally {
    // First what is on its way, then whoever sent it.
    realtime.thaw()
    owner.process.kill('SIGCONT')
  }
}
