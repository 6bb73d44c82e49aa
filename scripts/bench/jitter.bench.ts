import { type JitterResult, measureJitter } from './distributed/jitter.ts'
import { withSystem } from './distributed/system.ts'
import { machineFacts } from './lib/machine.ts'
import { hasProcessCosts, openFilesLimit } from './lib/process-cost.ts'
import { type Cell, table } from './lib/table.ts'

// npm run bench -- jitter: clients whose connections break all the time, while events flow. Takes under five minutes.

const CLIENTS = 10_000
/** Files that a process has open beside its sockets. */
const OTHER_FILES = 200
const EDGES = 2
const LOAD = { everyMs: 15_000, awayMs: 2_000, perSecond: 1_000 }
const WITH_RESUME_MS = 120_000
const WITHOUT_MS = 45_000

type Named = readonly [name: string, result: JitterResult]

function row([name, result]: Named): Cell[] {
  const { published, failed, delivered, twice, outOfOrder, drops, unrecovered, refused, delay, delayWhileThere } =
    result
  const share = (delivered / (published - failed)) * 100
  return [
    ...[name, `${published - failed}`, `${delivered}`, `${share.toFixed(share === 100 ? 0 : 2)} %`],
    ...[`${twice}`, `${outOfOrder}`, `${drops}`, `${unrecovered}`, `${refused}`],
    ...[delay.p50, delay.p99, delayWhileThere.p50, delayWhileThere.p99, delayWhileThere.max],
    `${(result.edgesBusy * 100).toFixed(0)} %`,
  ]
}

async function run(): Promise<void> {
  for (const line of machineFacts()) console.log(line)
  const clients = Math.min(CLIENTS, openFilesLimit() - OTHER_FILES)
  await withSystem(async (system) => {
    const edges = await Promise.all(Array.from({ length: EDGES }, () => system.edge()))
    const results: Named[] = []
    results.push([
      'resuming',
      await measureJitter(system, edges, { ...LOAD, clients, ms: WITH_RESUME_MS, resume: true }),
    ])
    results.push([
      'not resuming',
      await measureJitter(system, edges, { ...LOAD, clients, ms: WITHOUT_MS, resume: false }),
    ])
    console.log(
      `\n${clients} clients over ${EDGES} edges, each gone for ${LOAD.awayMs / 1_000} s every ${LOAD.everyMs / 1_000} s and back at the other edge, ${LOAD.perSecond} logged events`,
    )
    console.log(
      `a second in all, for ${WITH_RESUME_MS / 1_000} s (not resuming: ${WITHOUT_MS / 1_000} s). Delay in ms from publishing to the client; "there": without the time that`,
    )
    console.log('the client was away. Processor time of the edges, of one core.\n')
    const header = [
      'clients',
      'published',
      'delivered',
      'share',
      'twice',
      'out of order',
      'drops',
      'unrecovered',
      'refused',
    ]
    console.log(table([...header, 'p50', 'p99', 'there p50', 'p99', 'max', 'edges'], results.map(row)))
    const [[, { published, failed, delivered }] = ['', { published: 0, failed: 0, delivered: -1 }]] = results
    console.log(
      `\nWith resuming ${delivered === published - failed ? 'all were delivered: the goal is met' : 'not all were delivered: the goal is missed'}.`,
    )
  })
}

if (hasProcessCosts) await run()
else {
  console.error('Processor time of servers is read from /proc: this benchmark runs on Linux.')
  process.exitCode = 1
}
