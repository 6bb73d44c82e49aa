import { parseArgs } from 'node:util'
import { openAsker } from './ingest/asker.ts'
import {
  baselineSubject,
  idleMs,
  type Kind,
  type Load,
  type Round,
  type Subject,
  shared,
  startBaseline,
  storageSubject,
  talksFor,
} from './ingest/rounds.ts'
import { type StorageProcess, type Stores, withStores } from './ingest/stores.ts'
import { machineFacts } from './lib/machine.ts'
import { hasProcessCosts } from './lib/process-cost.ts'
import { median } from './lib/quantile.ts'
import { type Cell, table } from './lib/table.ts'

// npm run bench -- ingest: messages put on the ingest log as edges put them there, and what it costs storage to accept them, beside a
// process that does only what can't be left out. Takes under four minutes.

const { values: flags } = parseArgs({
  options: {
    messages: { type: 'string', default: '1000' },
    'in-flight': { type: 'string', default: '200' },
    rounds: { type: 'string', default: '3' },
    'round-seconds': { type: 'string', default: '5' },
    /** Options of Node for the replicas: `--node='--cpu-prof --cpu-prof-dir=profiles'`. */
    node: { type: 'string', default: '' },
  },
})
const LOAD: Load = {
  messages: Number(flags.messages),
  inFlight: Number(flags['in-flight']),
  roundMs: Number(flags['round-seconds']) * 1_000,
}
const ROUNDS = Number(flags.rounds)
const WARM_UPS = 2
const GOAL = 2
const IDLE_MS = 3_000

const LEAST = 'only what can’t be left out'
const LEAST_UNANSWERED = 'the same without jobs'
const INSERT = 'insertMany alone'
const WHOLE = 'all that storage does, in batches'
const KINDS = {
  answered: ['a model answers', LEAST],
  unanswered: ['nobody answers', LEAST_UNANSWERED],
  fresh: ['a session begins', LEAST],
} as const satisfies Record<Kind, readonly [name: string, beside: string]>

const nameOf = (replicas: number, kind: Kind): string =>
  `storage, ${replicas} ${replicas === 1 ? 'replica' : 'replicas'}: ${KINDS[kind][0]}`

type Results = ReadonlyMap<string, readonly Round[]>

/** All are up the whole time and take turns, so that what else the machine does falls on all of them alike. */
async function measure(subjects: readonly Subject[]): Promise<Results> {
  for (let i = 0; i < WARM_UPS; i++) for (const subject of subjects) await subject.round()
  const results = new Map(subjects.map(({ name }): [string, Round[]] => [name, []]))
  for (let i = 0; i < ROUNDS; i++) {
    for (const subject of subjects) results.get(subject.name)?.push(await subject.round())
  }
  return results
}

function row(results: Results, name: string, beside?: string): Cell[] {
  const rounds = results.get(name) ?? []
  const of = (value: (round: Round) => number) => median(rounds.map(value))
  const costs = rounds.map(({ cpuUs }) => cpuUs)
  const sum = (value: (round: Round) => number) => rounds.reduce((total, round) => total + value(round), 0)
  return [
    ...[name, `${sum(({ accepted }) => accepted)}`, `${sum(({ failed }) => failed)}`],
    ...[of(({ cpuUs }) => cpuUs), `${Math.min(...costs).toFixed(0)} to ${Math.max(...costs).toFixed(0)}`],
    ...[1e6 / of(({ cpuUs }) => cpuUs), beside === undefined ? '' : ratio(results, name, beside)],
    ...[of(({ perSecond }) => perSecond), of(({ p50 }) => p50), of(({ p99 }) => p99)],
  ]
}

const cost = (results: Results, name: string): number => median((results.get(name) ?? []).map(({ cpuUs }) => cpuUs))
const ratio = (results: Results, name: string, beside: string): number => cost(results, name) / cost(results, beside)

async function run(): Promise<void> {
  for (const line of machineFacts()) console.log(line)
  await withStores(async (stores) => {
    const results = new Map<string, readonly Round[]>()
    const idle: number[] = []
    await everything(stores, results, idle)
    console.log(
      `\n${LOAD.messages} messages of 200 bytes a round, each of another user, ${LOAD.inFlight} in flight, at most ${LOAD.roundMs / 1_000} s; ${ROUNDS} rounds in turns after ${WARM_UPS} to warm up.`,
    )
    console.log(
      'CPU in µs per accepted message, of all replicas together; medians of the rounds. Milliseconds from sending',
    )
    console.log('to the event that tells the user of the message; for the others those of a batch.\n')
    const header = [
      ...['', 'accepted', 'failed', 'CPU µs/message', 'by round', 'messages per CPU s', 'ratio', 'a second'],
      ...['p50 ms', 'p99 ms'],
    ]
    const kinds = Object.keys(KINDS) as Kind[]
    const storage = [1, 2].flatMap((replicas) =>
      kinds.map((kind) => row(results, nameOf(replicas, kind), KINDS[kind][1])),
    )
    console.log(
      table(header, [...storage, ...[WHOLE, LEAST, LEAST_UNANSWERED, INSERT].map((name) => row(results, name))]),
    )
    console.log(
      `\nWithout any load: ${idle.map((ms) => ms.toFixed(0)).join(' and ')} ms of CPU a second, 1 and 2 replicas.`,
    )
    for (const kind of ['answered', 'unanswered'] as const) {
      const [name, beside] = [nameOf(1, kind), KINDS[kind][1]]
      const value = ratio(results, name, beside)
      const judged = value <= GOAL ? 'met' : 'missed'
      console.log(`${name}, in relation to ${beside}: ${value.toFixed(2)} (goal: at most ${GOAL}; ${judged})`)
    }
  })
}

async function everything(stores: Stores, results: Map<string, readonly Round[]>, idle: number[]): Promise<void> {
  const nodeOptions = flags.node.split(' ').filter(Boolean)
  const asker = await openAsker(stores.fabric)
  const replicas: StorageProcess[] = []
  const kinds = Object.keys(KINDS) as Kind[]
  const talks = new Map<Kind, Awaited<ReturnType<typeof talksFor>>>()
  for (const kind of kinds) talks.set(kind, await talksFor(stores, asker, kind, LOAD.messages))
  const baseline = await startBaseline(stores)
  const baselines = [
    baselineSubject(WHOLE, baseline, 'whole', LOAD),
    baselineSubject(LEAST, baseline, 'least', LOAD),
    baselineSubject(LEAST_UNANSWERED, baseline, 'unanswered', LOAD),
    baselineSubject(INSERT, baseline, 'insert', LOAD),
  ]
  try {
    for (const count of [1, 2]) {
      replicas.push(await stores.startStorage(nodeOptions))
      await shared(stores, count)
      const subjects = kinds.map((kind) =>
        storageSubject(nameOf(count, kind), { asker, kind, talks: talks.get(kind) ?? [], load: LOAD }, replicas),
      )
      const measured = await measure(count === 1 ? [...subjects, ...baselines] : subjects)
      for (const [name, rounds] of measured) results.set(name, rounds)
      idle.push(await idleMs(replicas, IDLE_MS))
    }
    await Promise.all(replicas.map((replica) => replica.stop()))
  } finally {
    baseline.stop()
  }
}

if (hasProcessCosts) await run()
else {
  console.error('Processor time of servers is read from /proc: this benchmark runs on Linux.')
  process.exitCode = 1
}
