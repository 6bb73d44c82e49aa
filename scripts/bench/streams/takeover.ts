import { setTimeout as pause } from 'node:timers/promises'
import { type Child, startChild } from '../lib/child.ts'
import { becomes, sharedNow } from '../lib/clock.ts'
import type { Service } from '../lib/service.ts'
import { type House, openHouse, type Servers } from './house.ts'
import type { Devices } from './load/devices.ts'
import type { FakeModel } from './load/fake.ts'

export interface Kill {
  /** Milliseconds from the kill to the first token of the next attempt, of each answer that was under way. */
  readonly taken: readonly number[]
  /** Answers that no other worker had taken over in a minute. */
  readonly never: number
}

export interface TakeoverLoad {
  readonly kills: number
  readonly answers: number
  readonly tokensPerSecond: number
}

/** Where in its renewals a worker dies, and where the other one is in its looking, is left to chance. */
const LONGEST_WAIT_MS = 6_000
const BEGIN_PER_SECOND = 25
const NEVER_AFTER_MS = 60_000

/** A house whose worker is killed while another one is there, again and again: whoever took over is the next one. */
export async function killInTurn(servers: Servers, name: string, load: TakeoverLoad): Promise<Kill[]> {
  const fake = startChild<FakeModel>('streams/load/fake.js')
  const devices = startChild<Devices>('streams/load/devices.js')
  try {
    const modelUrl = await fake.ask('listen', load)
    const house = await openHouse(servers, { name, modelUrl })
    const users = Array.from({ length: load.answers }, (_, i) => `${name}-${i}`)
    await devices.ask('open', { ...house.target, users, secret: house.secret })
    const kills: Kill[] = []
    let worker = await house.startWorker()
    for (let i = 0; i < load.kills; i++) {
      const next = await kill(house, fake, devices, worker, load.answers)
      kills.push(next.kill)
      worker = next.worker
    }
    await Promise.all([worker, house.edge, house.storage].map((service) => service.stop()))
    return kills
  } finally {
    fake.stop()
    devices.stop()
  }
}

async function kill(
  house: House,
  fake: Child<FakeModel>,
  devices: Child<Devices>,
  dying: Service,
  answers: number,
): Promise<{ readonly kill: Kill; readonly worker: Service }> {
  const speak = await devices.ask('begin', { streams: answers, perSecond: BEGIN_PER_SECOND })
  if (!speak) throw new Error('not all answers have begun')
  // It comes when all answers are the other one's.
  const worker = await house.startWorker()
  await pause(Math.random() * LONGEST_WAIT_MS)
  const killedAt = sharedNow()
  await dying.kill()
  await becomes(async () => (await devices.ask('taken', undefined)).length === answers, NEVER_AFTER_MS)
  const taken = (await devices.ask('taken', undefined)).map((at) => at - killedAt)
  await fake.ask('finish', undefined)
  await devices.ask('over', undefined)
  return { kill: { taken, never: answers - taken.length }, worker }
}
