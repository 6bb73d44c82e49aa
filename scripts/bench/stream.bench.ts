import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runNode } from '@chatbox/testkit/process'
import { startChild } from './lib/child.ts'
import { machineFacts } from './lib/machine.ts'
import { hasProcessCosts } from './lib/process-cost.ts'
import { type Cell, table } from './lib/table.ts'
import { openHouse, type Servers, withServers } from './streams/house.ts'
import { highest, type Level, type Load, measureLevel, type Way } from './streams/level.ts'
import type { Devices } from './streams/load/devices.ts'
import type { FakeModel } from './streams/load/fake.ts'
import type { Readers } from './streams/load/readers.ts'

// npm run bench -- stream: answers of 50 tokens a second from a fake OpenAI through worker, Redis and edge to sockets, beside a proxy
// that only passes them on. Takes about six minutes; `--streams=20 --rounds=1 --search=0` takes half a one.

const { values: flags } = parseArgs({
  options: {
    /** How many at once, the fewest first. */
    streams: { type: 'string', default: '100,500' },
    rounds: { type: 'string', default: '3' },
    'round-seconds': { type: 'string', default: '5' },
    /** The most streams that are tried when the highest number is searched; 0: it is not. */
    search: { type: 'string', default: '1000' },
    workers: { type: 'string', default: '1' },
    /** Options of Node for edge and workers: `--node='--cpu-prof --cpu-prof-dir=profiles'`. */
    node: { type: 'string', default: '' },
  },
})
const STREAMS = flags.streams.split(',').map(Number)
const LOAD: Load = {
  rounds: Number(flags.rounds),
  roundMs: Number(flags['round-seconds']) * 1_000,
  beginPerSecond: 25,
}
const MOST = Number(flags.search)
const WORKERS = Number(flags.workers)
const TOKENS_PER_SECOND = 50
const TICK_MS = 30
const GOAL_MS = TICK_MS + 15
const STEP = 25

const CHATBOX = 'Chatbox'
const PROXY = 'undici to SSE, nothing else'

async function chatbox(servers: Servers, modelUrl: string, most: number): Promise<Way & { stop(): Promise<void> }> {
  const house = await openHouse(servers, { name: 'stream', modelUrl, node: flags.node.split(' ').filter(Boolean) })
  const workers = await Promise.all(Array.from({ length: WORKERS }, () => house.startWorker()))
  const listeners = startChild<Devices>('streams/load/devices.js')
  const users = Array.from({ length: most }, (_, i) => `user-${i}`)
  await listeners.ask('open', { ...house.target, users, secret: house.secret })
  const redis = [servers.realtime.pid, servers.queue.pid].filter((pid) => pid !== undefined)
  return {
    name: CHATBOX,
    listeners,
    processes: {
      worker: workers.map(({ pid }) => pid),
      edge: [house.edge.pid],
      Redis: redis,
      storage: [house.storage.pid],
    },
    async stop() {
      listeners.stop()
      await house.stop()
    },
  }
}

async function proxy(modelUrl: string, clients: number): Promise<Way> {
  const script = fileURLToPath(new URL('streams/load/proxy.js', import.meta.url))
  const running = runNode(script, { env: { PATH: process.env.PATH, PROVIDER_URL: modelUrl } })
  const [, url = ''] = await running.waitForOutput(/ready: (\S+)/)
  const listeners = startChild<Readers>('streams/load/readers.js')
  await listeners.ask('open', { url, clients })
  return { name: PROXY, listeners, processes: { proxy: [running.pid] } }
}

const percent = (share: number | undefined): string => (share === undefined ? '' : `${(share * 100).toFixed(0)} %`)

interface Measured {
  readonly name: string
  readonly level: Level
}

function delayRow({ name, level }: Measured): Cell[] {
  const { streams, tokensPerSecond, p50, p99, p99s, first, tokensPerFrame, cost, broken } = level
  const { worker, edge, Redis, proxy: passing } = cost
  const together = passing ?? (worker ?? 0) + (edge ?? 0)
  return [
    ...[name, `${streams}`, `${Math.round(tokensPerSecond)}`, p50, p99],
    ...[`${Math.min(...p99s).toFixed(0)} to ${Math.max(...p99s).toFixed(0)}`, first.p50, first.p99, tokensPerFrame],
    ...[worker ?? '', edge ?? '', together, Redis ?? '', `${broken}`],
  ]
}

function shareRow({ name, level: { streams, share, machine } }: Measured): Cell[] {
  const shares = ['worker', 'edge', 'Redis', 'storage', 'proxy', 'provider', 'clients'].map((of) => percent(share[of]))
  return [name, `${streams}`, ...shares, percent(machine)]
}

async function run(servers: Servers): Promise<void> {
  const fake = startChild<FakeModel>('streams/load/fake.js')
  const modelUrl = await fake.ask('listen', { tokensPerSecond: TOKENS_PER_SECOND })
  const most = Math.max(MOST, ...STREAMS)
  const own = await chatbox(servers, modelUrl, most)
  const beside = await proxy(modelUrl, Math.max(...STREAMS))
  const measured: Measured[] = []
  const measure = async (way: Way, streams: number): Promise<Level | undefined> => {
    const level = await measureLevel(way, fake, streams, LOAD)
    if (level) measured.push({ name: way.name, level })
    console.error(`${way.name}, ${streams} streams: p99 ${level?.p99.toFixed(1) ?? 'not all could be begun'}`)
    return level
  }
  const holds = (level: Level | undefined) => level !== undefined && level.broken === 0 && level.p99 <= GOAL_MS

  // Whatever is compiled and grown once is so before anything counts.
  for (const way of [own, beside]) await measureLevel(way, fake, Math.min(...STREAMS), { ...LOAD, rounds: 0 })
  const known = new Map<number, boolean>()
  for (const streams of STREAMS) {
    await measure(beside, streams)
    known.set(streams, holds(await measure(own, streams)))
  }
  const named = new Set(measured)
  const held = MOST > 0 ? await search(known, async (streams) => holds(await measure(own, streams))) : undefined
  if (held !== undefined) for (const one of measured) if (one.level.streams === held) named.add(one)
  await own.stop()
  fake.stop()
  beside.listeners.stop()
  tell([...named], held, known)
}

async function search(
  known: ReadonlyMap<number, boolean>,
  tryIt: (streams: number) => Promise<boolean>,
): Promise<number> {
  const bad = Math.min(...[...known].flatMap(([streams, good]) => (good ? [] : streams)))
  const good = Math.max(0, ...[...known].flatMap(([streams, good]) => (good && streams < bad ? streams : [])))
  return highest(good, Number.isFinite(bad) ? bad : undefined, STEP, MOST, tryIt)
}

function tell(measured: readonly Measured[], held: number | undefined, known: ReadonlyMap<number, boolean>): void {
  console.log(
    `\n${TOKENS_PER_SECOND} tokens a second and stream, of 5 bytes; ${WORKERS} worker, 1 edge, tick ${TICK_MS} ms; ${LOAD.rounds} rounds of ${LOAD.roundMs / 1_000} s, medians.`,
  )
  console.log('Milliseconds from the write of the provider to the frame at the client; CPU in ms per 1 000 tokens.\n')
  const header = [
    ...['', 'streams', 'tokens a second', 'p50 ms', 'p99 ms', 'by round', 'first p50', 'first p99', 'tokens a frame'],
    ...['worker CPU', 'edge CPU', 'together', 'Redis CPU', 'broken'],
  ]
  console.log(table(header, measured.map(delayRow)))
  console.log('\nShares of one processor; of the machine: of all of them, whoever used them.\n')
  const shares = ['', 'streams', 'worker', 'edge', 'Redis', 'storage', 'proxy', 'provider', 'clients', 'machine']
  console.log(table(shares, measured.map(shareRow)))
  console.log('')
  for (const [streams, good] of known) {
    console.log(`p99 of at most ${GOAL_MS} ms (tick + 15) with ${streams} streams: ${good ? 'met' : 'missed'}`)
  }
  if (held !== undefined) console.log(`the most streams with it, in steps of ${STEP}: ${held}`)
}

if (hasProcessCosts) {
  for (const line of machineFacts()) console.log(line)
  await withServers(run)
} else {
  console.error('Processor time of servers is read from /proc: this benchmark runs on Linux.')
  process.exitCode = 1
}
