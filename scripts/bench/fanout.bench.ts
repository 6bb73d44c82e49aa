import { measureFanout, type Subject, type SubjectResult } from './distributed/fanout.ts'
import type { AdapterName } from './distributed/servers/socket-io-adapter.ts'
import { type Program, type System, withSystem } from './distributed/system.ts'
import { machineFacts } from './lib/machine.ts'
import { hasProcessCosts } from './lib/process-cost.ts'
import { median } from './lib/quantile.ts'
import { table } from './lib/table.ts'

// npm run bench -- fanout: events of single users, published to a Redis at a fixed rate, and what it costs to have them in the users'
// sockets. Takes under five minutes.

const USERS = 1_000
const LOAD = { perSecond: 4_000, roundMs: 6_000, rounds: 3 }
const EDGE_GOAL = 0.75
const SOCKET_IO_GOAL = 5

const EDGE = 'Chatbox, 1 edge'
const UNLOGGED = 'Chatbox, 1 edge, events that are not logged'
const OPENING = 'forwarder that opens seals'
const FORWARDER = 'forwarder'
const SHARDED = 'Socket.IO, sharded adapter'
const STREAMS = 'Socket.IO, streams adapter'

async function subjectsOf(system: System): Promise<Subject[]> {
  const many = (count: number, start: () => Promise<Program>) => Promise.all(Array.from({ length: count }, start))
  const edges = (count: number) => many(count, () => system.edge())
  const socketIo = (count: number, adapter: AdapterName) => many(count, () => system.socketIo(adapter))
  return [
    { name: EDGE, way: 'logged', servers: await edges(1) },
    { name: 'Chatbox, 2 edges', way: 'logged', servers: await edges(2) },
    { name: 'Chatbox, 4 edges', way: 'logged', servers: await edges(4) },
    { name: UNLOGGED, way: 'signal', servers: await edges(1) },
    { name: OPENING, way: 'sealed', servers: [await system.forwarder(true)] },
    { name: `${OPENING}, 4 of them`, way: 'sealed', servers: await many(4, () => system.forwarder(true)) },
    { name: FORWARDER, way: 'plain', servers: [await system.forwarder(false)] },
    { name: SHARDED, way: 'sharded', servers: await socketIo(1, 'sharded') },
    { name: `${SHARDED}, 4 servers`, way: 'sharded', servers: await socketIo(4, 'sharded') },
    { name: `${STREAMS}, 4 servers`, way: 'streams', servers: await socketIo(4, 'streams') },
  ]
}

function row({ name, rounds }: SubjectResult): (string | number)[] {
  const of = (value: (round: SubjectResult['rounds'][number]) => number) => median(rounds.map(value))
  const costs = rounds.map(({ serverUs }) => serverUs)
  const span = `${Math.min(...costs).toFixed(1)} to ${Math.max(...costs).toFixed(1)}`
  const all = rounds.reduce((sum, { published }) => sum + published, 0)
  const there = rounds.reduce((sum, { events }) => sum + events, 0)
  return [
    ...[name, `${there} of ${all}`, of(({ serverUs }) => serverUs), span, 1e6 / of(({ serverUs }) => serverUs)],
    ...[of(({ redisUs }) => redisUs), of(({ p50 }) => p50), of(({ p99 }) => p99)],
  ]
}

function verdict(results: readonly SubjectResult[]): void {
  const cost = (name: string) =>
    median(results.find((result) => result.name === name)?.rounds.map(({ serverUs }) => serverUs) ?? [])
  const edge = cost(EDGE)
  const judged = (value: number, goal: number) =>
    `${value.toFixed(2)} (goal: at least ${goal}; ${value >= goal ? 'met' : 'missed'})`
  console.log('\nEvents per CPU second,')
  console.log(`of an edge in relation to the forwarder that opens seals: ${judged(cost(OPENING) / edge, EDGE_GOAL)};`)
  console.log(`of an edge in relation to ${SHARDED}: ${judged(cost(SHARDED) / edge, SOCKET_IO_GOAL)};`)
  const [four, streams] = [cost('Chatbox, 4 edges'), cost(`${STREAMS}, 4 servers`)]
  console.log(`of 4 edges in relation to ${STREAMS}, 4 servers: ${judged(streams / four, SOCKET_IO_GOAL)}.`)
  console.log(`\nOpening a seal costs the forwarder ${(cost(OPENING) - cost(FORWARDER)).toFixed(1)} µs an event;`)
  console.log(`that an event can be resumed from costs the edge ${(edge - cost(UNLOGGED)).toFixed(1)} µs.`)
}

async function run(): Promise<void> {
  for (const line of machineFacts()) console.log(line)
  await withSystem(async (system) => {
    const results = await measureFanout(system, await subjectsOf(system), { users: USERS, ...LOAD })
    console.log(
      `\n${LOAD.perSecond} events of 200 bytes a second to ${USERS} users, one device each, ${LOAD.rounds} rounds of ${LOAD.roundMs / 1_000} s, in turns.`,
    )
    console.log(
      'CPU in µs per delivered event, of all servers together; medians of the rounds. Delay from publishing to the client.\n',
    )
    const header = [
      'server',
      'delivered',
      'CPU µs/event',
      'by round',
      'events per CPU s',
      'Redis CPU µs',
      'p50 ms',
      'p99 ms',
    ]
    console.log(table(header, results.map(row)))
    verdict(results)
  })
}

if (hasProcessCosts) await run()
else {
  console.error('Processor time of servers is read from /proc: this benchmark runs on Linux.')
  process.exitCode = 1
}
