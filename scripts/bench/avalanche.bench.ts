import { runTrial, type Trial, type TrialResult } from './distributed/avalanche.ts'
import { type System, withSystem } from './distributed/system.ts'
import { machineFacts } from './lib/machine.ts'
import { hasProcessCosts } from './lib/process-cost.ts'
import { median } from './lib/quantile.ts'
import { type Cell, table } from './lib/table.ts'

// npm run bench -- avalanche: a server is killed, and all its clients come to another one. Takes under five minutes.

const CLIENTS = 5_000
const ROUNDS = 3
const GOAL = 4
const GOAL_BEYOND_SPREAD_MS = 2_000
/** The default of HANDSHAKES_PER_SECOND. */
const ADMITTED_PER_SECOND = 500

interface Named {
  readonly name: string
  readonly trial: Trial
  readonly rounds: number
}

function trialsOf(system: System): Named[] {
  const admitting = { env: { HANDSHAKES_PER_SECOND: `${ADMITTED_PER_SECOND}` } }
  const bare = { start: () => system.bare(), startOther: () => system.bare() }
  const open = { start: () => system.edge(), startOther: () => system.edge() }
  const limited = { start: () => system.edge(), startOther: () => system.edge(admitting) }
  const trial = { clients: CLIENTS, spread: false, warm: false }
  return [
    { name: 'uWebSockets.js alone, at once', trial: { ...trial, ...bare }, rounds: ROUNDS },
    { name: 'Chatbox, at once, tokens cold', trial: { ...trial, ...open }, rounds: ROUNDS },
    { name: 'Chatbox, at once, tokens warm', trial: { ...trial, ...open, warm: true }, rounds: ROUNDS },
    { name: 'Chatbox, spread by the clients alone', trial: { ...trial, ...open, spread: true }, rounds: 1 },
    { name: 'Chatbox, spread by the edge too', trial: { ...trial, ...limited, spread: true }, rounds: 1 },
  ]
}

const of = (results: readonly TrialResult[], value: (result: TrialResult) => number) => median(results.map(value))
const last = ({ last: ms }: TrialResult) => ms

function row([name, results]: readonly [string, readonly TrialResult[]]): Cell[] {
  const never = results.reduce((sum, result) => sum + result.never, 0)
  return [
    ...[name, of(results, ({ p50 }) => p50), of(results, ({ p99 }) => p99), of(results, last)],
    ...[results.map((result) => result.last.toFixed(0)).join(', '), `${never}`],
    ...[of(results, ({ turnedAway }) => turnedAway), of(results, ({ cpuUsEach }) => cpuUsEach)],
  ]
}

function verdict(results: ReadonlyMap<string, readonly TrialResult[]>): void {
  const lastOf = (name: string) => of(results.get(name) ?? [], last)
  const bare = lastOf('uWebSockets.js alone, at once')
  for (const how of ['cold', 'warm']) {
    const times = lastOf(`Chatbox, at once, tokens ${how}`) / bare
    console.log(
      `Tokens ${how}: the last is back after ${times.toFixed(1)} × (goal: at most ${GOAL}; ${times <= GOAL ? 'met' : 'missed'}).`,
    )
  }
  for (const how of ['by the clients alone', 'by the edge too']) {
    const [result] = results.get(`Chatbox, spread ${how}`) ?? []
    if (!result) continue
    const beyond = result.last - result.spreadMs
    const met = beyond <= GOAL_BEYOND_SPREAD_MS && result.never === 0
    console.log(
      `Spread ${how}, over ${result.spreadMs} ms: the last is back ${beyond.toFixed(0)} ms beyond (goal: at most ${GOAL_BEYOND_SPREAD_MS}, and all; ${met ? 'met' : 'missed'}).`,
    )
  }
  console.log(
    `The edge that spreads lets ${ADMITTED_PER_SECOND} in a second, so all need ${CLIENTS / ADMITTED_PER_SECOND} s at least.`,
  )
}

async function run(): Promise<void> {
  for (const line of machineFacts()) console.log(line)
  await withSystem(async (system) => {
    const trials = trialsOf(system)
    const results = new Map<string, TrialResult[]>(trials.map(({ name }) => [name, []]))
    for (let round = 0; round < ROUNDS; round++) {
      for (const { name, trial, rounds } of trials) {
        if (round < rounds) results.get(name)?.push(await runTrial(system, trial))
      }
    }
    console.log(
      `\n${CLIENTS} clients of a server that is killed come to another one; ms from the kill, medians of the rounds.\n`,
    )
    const header = ['server', 'p50 ms', 'p99 ms', 'last ms', 'last by round', 'never', 'turned away', 'CPU µs each']
    console.log(`${table(header, [...results].map(row))}\n`)
    verdict(results)
  })
}

if (hasProcessCosts) await run()
else {
  console.error('Processor time of servers is read from /proc: this benchmark runs on Linux.')
  process.exitCode = 1
}
