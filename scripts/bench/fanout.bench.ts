import { measureFanout, type Subject, type SubjectResult } from './distributed/fanout.ts'
import { type System, withSystem } from './distributed/system.ts'
import { machineFacts } from './lib/machine.ts'
import { hasProcessCosts } from './lib/process-cost.ts'
import { median } from './lib/quantile.ts'
import { table } from './lib/table.ts'

// npm run bench -- fanout: events of single users, published to a Redis at a fixed rate, and what it costs to have them in the users'
// sockets. Takes under five minutes.

const USERS = 1_000
const LOAD = { perSecond: 2_000, roundMs: 6_000, rounds: 3 }
const EDGE_GOAL = 0.75
const SOCKET_IO_GOAL = 5

async function subjectsOf(system: System): Promise<Subject[]> {
  const edges = (count: number) => Promise.all(Array.from({ length: count }, () => system.edge()))
  return [
    { name: 'Chatbox, 1 edge', way: 'logged', servers: await edges(1) },
    { name: 'Chatbox, 2 edges', way: 'logged', servers: await edges(2) },
    { name: 'Chatbox, 4 edges', way: 'logged', servers: await edges(4) },
    { name: 'Chatbox, 1 edge, events that are not logged', way: 'signal', servers: await edges(1) },
    { name: 'forwarder that opens seals', way: 'sealed', servers: [await system.forwarder(true)] },
    { name: 'forwarder', way: 'plain', servers: [await system.forwarder(false)] },
    { name: 'Socket.IO, sharded adapter', way: 'socket.io', servers: [await system.socketIo()] },
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
  const edge = cost('Chatbox, 1 edge')
  const toForwarder = cost('forwarder that opens seals') / edge
  const toSocketIo = cost('Socket.IO, sharded adapter') / edge
  const judged = (value: number, goal: number) =>
    `${value.toFixed(2)} (goal: at least ${goal}; ${value >= goal ? 'met' : 'missed'})`
  console.log(
    `\nOne edge delivers, of what the forwarder that opens seals does per CPU second: ${judged(toForwarder, EDGE_GOAL)}`,
  )
  console.log(`and of what Socket.IO does: ${judged(toSocketIo, SOCKET_IO_GOAL)}`)
  const unsealed = cost('forwarder')
  console.log(
    `Opening a seal costs the forwarder ${(cost('forwarder that opens seals') - unsealed).toFixed(1)} µs an event; positions,`,
  )
  const unlogged = cost('Chatbox, 1 edge, events that are not logged')
  console.log(`which make events resumable, cost the edge ${(edge - unlogged).toFixed(1)} µs.`)
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
