import { setTimeout as pause } from 'node:timers/promises'
import { type RunningServer, startRedis } from '@chatbox/testkit/servers'
import { expect } from 'vitest'
import { type Roamer, startRoamer } from './roamer.ts'
import { type Distributed, type DistributedOptions, type EdgeProcess, startDistributed } from './system.ts'

const cleanups: (() => Promise<unknown>)[] = []

/** Ends, in reverse, whatever a test has made. */
export async function cleanUp(): Promise<void> {
  for (const clean of cleanups.splice(0).reverse()) await clean()
}
export const later = (clean: () => Promise<unknown>): void => void cleanups.push(clean)

export const USERS = 6
/** For what has to come about and has no bound of its own. */
export const patient = { timeout: 45_000, interval: 20 }

export interface Scene {
  readonly system: Distributed
  /** Two devices for each user; where their edge is gone they go to the next that lives. */
  readonly roamers: readonly Roamer[]
  /** Edges that may be gone to. */
  readonly open: Set<EdgeProcess>
}

export async function ownRedis(args: readonly string[] = []): Promise<RunningServer> {
  const redis = await startRedis({ args })
  later(() => redis.stop())
  return redis
}

/** Takes up the port and the folder of one that was killed. */
export async function restarted({ port, dir }: RunningServer, args: readonly string[] = []): Promise<RunningServer> {
  const redis = await startRedis({ port, dir, args })
  later(() => redis.stop())
  return redis
}

export async function scene(options: DistributedOptions): Promise<Scene> {
  const system = await startDistributed(options)
  later(() => system.stop())
  const open = new Set(system.edges)
  const roamers = Array.from({ length: USERS * 2 }, (_, i) => {
    let turn = i
    const pick = () => [...open][turn++ % Math.max(1, open.size)]
    return startRoamer(system, `user-${i % USERS}`, `device-${i}`, pick)
  })
  later(() => Promise.all(roamers.map((roamer) => roamer.stop())))
  await expect.poll(() => roamers.every(({ connected }) => connected), patient).toBe(true)
  return { system, roamers, open }
}

export interface ChatterOptions {
  readonly text?: (n: number) => string
  /** At most eight answers of a session may wait. */
  readonly pauseMs?: number
}

/** Each device goes on saying something in a session of its own until told to stop. */
export function chatter(
  roamers: readonly Roamer[],
  { text = (n) => `hello ${n}`, pauseMs = 120 }: ChatterOptions = {},
): { count(): number; stop(): Promise<void> } {
  let over = false
  let said = 0
  const talking = roamers.map(async (roamer) => {
    let sid: string | undefined
    for (let n = 1; !over; n += 1) {
      const accepted = await roamer.say(text(n), sid)
      sid = accepted.sid
      said += 1
      await pause(pauseMs)
    }
  })
  // A test that fails stops the roamers under it; it has said why.
  for (const each of talking) each.catch(() => undefined)
  return {
    count: () => said,
    async stop() {
      over = true
      await Promise.all(talking)
    },
  }
}

/** Nothing is under way any more: every accepted question has its one end (P5). */
export async function rested(system: Distributed, roamers: readonly Roamer[]): Promise<void> {
  const sids = new Set(roamers.flatMap((roamer) => [...roamer.accepted.values()].map(({ sid }) => sid)))
  for (const sid of sids) {
    await expect
      .poll(async () => {
        const { turns } = await system.stored(sid)
        return turns.flatMap(({ answer }) => (answer?.status === 'pending' ? [answer] : []))
      }, patient)
      .toEqual([])
  }
}

/** The value of a metric of a process, with its labels or, without them, of the first line of that name; 0 where it was never counted. */
export async function metric(edge: Pick<EdgeProcess, 'opsUrl'>, name: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', edge.opsUrl))).text()
  const line = text.split('\n').find((each) => each.startsWith(name) && /^(\{[^}]*\})? /.test(each.slice(name.length)))
  return Number(line?.split(' ').at(-1) ?? 0)
}

/** What an orchestrator sees: each answer within 2 s, whatever Redis does (O1). */
export async function expectProbes(edge: EdgeProcess, expected: { healthz: number; readyz: number }): Promise<void> {
  const statuses = await Promise.all(
    ['healthz', 'readyz'].map(async (name) => {
      const signal = AbortSignal.timeout(2_000)
      return [name, (await fetch(new URL(`/chat/${name}`, edge.opsUrl), { signal })).status] as const
    }),
  )
  expect(Object.fromEntries(statuses)).toEqual(expected)
}
