import { parseArgs } from 'node:util'
import { available, startMongo } from '@chatbox/testkit/servers'
import { connectMongo, fillMongo } from './history/mongo.ts'
import { type Filled, measurePages, type PageCost } from './history/pages.ts'
import { fillSqlite } from './history/sqlite.ts'
import { machineFacts } from './lib/machine.ts'
import { type Cell, table } from './lib/table.ts'

// npm run bench -- history: pages of a long conversation and of a long list of conversations, wherever they are in it. Takes under four
// minutes.

const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000,1000000' },
    'mongo-rows': { type: 'string', default: '10000' },
    times: { type: 'string', default: '200' },
  },
})
const sizes = (list: string): number[] => list.split(',').filter(Boolean).map(Number)
const TIMES = Number(flags.times)
/** Rows that pages may be compared at, and milliseconds that each may take then. */
const GOAL_ROWS = 10_000
const GOAL_MS = 100
const GOAL_EXAMINED = 3

interface Measured {
  readonly store: string
  readonly count: number
  readonly seconds: number
  readonly pages: readonly PageCost[]
}

async function measured(store: string, count: number, filling: Promise<Filled>): Promise<Measured> {
  const filled = await filling
  try {
    return { store, count, seconds: filled.seconds, pages: await measurePages(filled, count, TIMES) }
  } finally {
    await filled.close()
  }
}

async function onMongo(): Promise<Measured[]> {
  if (!(await available('mongo'))) return []
  const running = await startMongo()
  const server = await connectMongo(running.url)
  try {
    const results: Measured[] = []
    for (const count of sizes(flags['mongo-rows'])) {
      results.push(await measured(server.name, count, fillMongo(running.url, server, count)))
    }
    return results
  } finally {
    await server.client.close()
    await running.stop()
  }
}

const rowsOf = ({ store, count, pages }: Measured): Cell[][] =>
  pages.map(({ name, rows, p50, p99, cpuUs, examined }) => [
    ...[store, `${count}`, name, `${rows}`, p50, p99, cpuUs],
    ...[examined ? `${examined.keys}` : '', examined ? `${examined.documents}` : ''],
  ])

function verdict({ store, count, pages }: Measured): void {
  if (count === GOAL_ROWS) {
    const worst = Math.max(...pages.map(({ p99 }) => p99))
    const judged = worst < GOAL_MS ? 'met' : 'missed'
    console.log(
      `${store}, ${count} rows: p99 of a page at most ${worst.toFixed(1)} ms (goal: under ${GOAL_MS}; ${judged}).`,
    )
  }
  const looked = pages.flatMap(({ rows, examined }) =>
    examined ? [Math.max(examined.keys, examined.documents) / rows] : [],
  )
  if (looked.length === 0) return
  const most = Math.max(...looked)
  const judged = most <= GOAL_EXAMINED ? 'met' : 'missed'
  console.log(
    `${store}, ${count} rows: examined at most ${most.toFixed(2)} times the page (goal: ${GOAL_EXAMINED}; ${judged}).`,
  )
}

async function run(): Promise<void> {
  for (const line of machineFacts()) console.log(line)
  const results: Measured[] = []
  for (const count of sizes(flags.rows)) results.push(await measured('SQLite', count, fillSqlite(count)))
  results.push(...(await onMongo()))
  console.log(
    `\nA conversation of so many turns with answers, and a user with so many conversations; each page ${TIMES} times, in turns.`,
  )
  console.log('Milliseconds and CPU of this process for a page, with its opening. Filled in:')
  for (const { store, count, seconds } of results) console.log(`${store}, ${count} rows: ${seconds.toFixed(1)} s`)
  const header = ['store', 'rows', 'page', 'of', 'p50 ms', 'p99 ms', 'CPU µs', 'keys examined', 'documents examined']
  console.log(`\n${table(header, results.flatMap(rowsOf))}\n`)
  for (const result of results) verdict(result)
}

await run()
