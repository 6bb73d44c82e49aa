import { type Idle, type IdleResult, measureIdle } from './distributed/idle.ts'
import { type Program, withSystem } from './distributed/system.ts'
import { machineFacts } from './lib/machine.ts'
import { hasProcessCosts, openFilesLimit } from './lib/process-cost.ts'
import { type Cell, table } from './lib/table.ts'

// npm run bench -- connections: memory per idle connection of an edge over Redis, beside a bare uWebSockets.js server and Socket.IO. Takes
// under five minutes.

const GOAL_KIB = 8
const COUNTS = [2_000, 15_000]
/** Files that a process has open beside its sockets. */
const OTHER_FILES = 200

type Named = readonly [name: string, result: IdleResult]

const each = (now: Idle, then: Idle, of: (idle: Idle) => number): number =>
  (of(now) - of(then)) / (now.connections - then.connections)
const rss = ({ memory }: Idle) => memory.rssKiB
const blank = (cell: Cell): Cell => (typeof cell === 'number' && Number.isNaN(cell) ? '' : cell)

function rows([name, { idle }]: Named): Cell[][] {
  const [first] = idle
  return idle.map((now, i) => {
    const last = idle[i - 1]
    const since = (then: Idle | undefined, of: (idle: Idle) => number) => (then ? each(now, then, of) : Number.NaN)
    const from = i === 0 ? undefined : first
    return [
      ...[name, `${now.connections}`, rss(now) / 1_024, since(from, rss), since(last, rss)],
      ...[since(from, ({ redisKiB }) => redisKiB), now.cpuUsEach, now.redisUsEach],
    ].map(blank)
  })
}

function heapRow([name, { idle, heapKiB }]: Named): Cell[] {
  const connections = idle.at(-1)?.connections ?? 0
  const { full, gone } = heapKiB
  return [name, `${connections}`, full / 1_024, gone / 1_024, (full - gone) / connections]
}

async function run(): Promise<void> {
  for (const line of machineFacts()) console.log(line)
  const counts = COUNTS.filter((count) => count <= openFilesLimit() - OTHER_FILES)
  if (counts.length < COUNTS.length) {
    console.log(`\nToo few files may be open for ${COUNTS.at(-1)} connections: raise the limit (ulimit -n).`)
  }
  await withSystem(async (system) => {
    const results: Named[] = []
    const measure = async (name: string, starting: Promise<Program>) => {
      const server = await starting
      results.push([name, await measureIdle(system, server, counts)])
      await server.kill()
    }
    const start = { inspected: true }
    await measure('Chatbox, 1 edge', system.edge(start))
    await measure('uWebSockets.js alone', system.bare(start))
    await measure('Socket.IO, sharded adapter', system.socketIo('sharded', start))
    report(results)
  })
}

function report(results: readonly Named[]): void {
  console.log(
    '\nIdle connections, each of another user with a token, registered and subscribed in Redis (the bare server sends the',
  )
  console.log(
    `frame back), after a warm-up with connections that have gone. Goal: at most ${GOAL_KIB} KiB each, and flat.\n`,
  )
  const header = ['server', 'connections', 'RSS MiB', 'RSS KiB each', 'RSS KiB for each more']
  console.log(table([...header, 'Redis KiB each', 'CPU µs to open one', 'Redis µs'], results.flatMap(rows)))
  const [[, { idle }] = ['', { idle: [] }]] = results
  const [none, ...some] = idle
  const worst = Math.max(...some.map((now) => (none ? each(now, none, rss) : Number.NaN)))
  console.log(
    `\nAn edge: at most ${worst.toFixed(1)} KiB each: ${worst <= GOAL_KIB ? 'within' : 'not within'} the goal.`,
  )
  console.log('\nHeap in use with all garbage collected, with the most connections and after they have gone.\n')
  console.log(table(['server', 'connections', 'heap MiB', 'after them', 'KiB each'], results.map(heapRow)))
}

if (hasProcessCosts) await run()
else {
  console.error('Memory of servers is read from /proc: this benchmark runs on Linux.')
  process.exitCode = 1
}
