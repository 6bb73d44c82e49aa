import { type Idle, measureIdle } from './embedded/connections.ts'
import { measureFlushes } from './embedded/disk.ts'
import { measureGuarantees } from './embedded/guarantees.ts'
import { type Program, type Start, startBare, startEmbedded, stopWithUs } from './embedded/programs.ts'
import {
  ABOUT_TURNS,
  collectedTable,
  each,
  guaranteesTable,
  type Named,
  settledTable,
  turnsTable,
} from './embedded/report.ts'
import { type Level, type LevelResult, measureTurns } from './embedded/turns.ts'
import { machineFacts } from './lib/machine.ts'
import { hasProcessCosts, openFilesLimit } from './lib/process-cost.ts'
import { quantile } from './lib/quantile.ts'

// npm run bench -- embedded: the program that `npm start` runs, driven from this process over loopback. Takes under four minutes.
// It can be asked for a part or two of it: turns, idle, guarantees.

const GOAL_KIB = 8
/** Gentle: the worker has room for 50 answers at once, and an answer takes about a second. */
const LEVELS: readonly Level[] = [
  { users: 1, everyMs: 1_000, roundMs: 10_000 },
  { users: 50, everyMs: 5_000, roundMs: 10_000 },
  { users: 500, everyMs: 20_000, roundMs: 10_000 },
]
const CONNECTIONS = [2_000, 10_000]
/** Files that each of the two processes has open beside its sockets. */
const OTHER_FILES = 200

async function run(): Promise<void> {
  const asked = process.argv.slice(2)
  const wants = (part: string) => asked.length === 0 || asked.includes(part)
  for (const line of machineFacts()) console.log(line)
  const flushes = measureFlushes()
  const [p50, p99] = [0.5, 0.99].map((q) => quantile(flushes, q).toFixed(2))
  console.log(`a page written and flushed to the disk: p50 ${p50} ms, p99 ${p99} ms`)
  if (wants('turns')) await turns()
  if (wants('idle')) await idle()
  if (wants('guarantees')) {
    console.log('\nWhat guarantees cost: microseconds of one call, alone in this process.\n')
    console.log(guaranteesTable(await measureGuarantees()))
  }
}

async function turns(): Promise<void> {
  const results: (readonly [Level, LevelResult])[] = []
  await during(startEmbedded(), async (program) => {
    for (const level of LEVELS) results.push([level, await measureTurns(program, level)])
  })
  console.log(`\n${ABOUT_TURNS}\n`)
  console.log(turnsTable(results))
  const failures = results.flatMap(([, result]) => result.failures)
  if (failures.length > 0) console.log(`\n${failures.length} messages failed, the first with: ${failures[0]}`)
}

async function idle(): Promise<void> {
  const room = openFilesLimit() - OTHER_FILES
  const counts = CONNECTIONS.filter((count) => count <= room)
  if (counts.length < CONNECTIONS.length) {
    console.log(`\nToo few files may be open for ${CONNECTIONS.at(-1)} connections: raise the limit (ulimit -n).`)
  }
  const alone = await ofBoth(counts)
  console.log(
    '\nMemory with idle connections, each of another user who has said hello (the bare server sends the frame',
  )
  console.log(`back), after a warm-up with connections that have gone. Goal: at most ${GOAL_KIB} KiB each, and flat.\n`)
  console.log(settledTable(alone))
  const [[, [before, ...after] = []] = ['', []]] = alone
  const worst = Math.max(...after.map((now) => (before ? each(now, before) : Number.NaN)))
  console.log(`\nAt most ${worst.toFixed(1)} KiB each: ${worst <= GOAL_KIB ? 'within' : 'not within'} the goal.`)
  console.log('\nThe same with all garbage collected before each look.\n')
  console.log(collectedTable(await ofBoth(counts, { inspected: true })))
}

async function ofBoth(counts: readonly number[], start: Start = {}): Promise<Named[]> {
  const measure = (program: Promise<Program>): Promise<Idle[]> => during(program, (it) => measureIdle(it, counts))
  return [
    ['Chatbox', await measure(startEmbedded(start))],
    ['uWebSockets.js alone', await measure(startBare(start))],
  ]
}

async function during<T>(starting: Promise<Program>, work: (program: Program) => Promise<T>): Promise<T> {
  const program = await starting
  try {
    return await work(program)
  } finally {
    await program.stop()
  }
}

stopWithUs()
if (hasProcessCosts) await run()
else {
  console.error('Memory and processor time of servers are read from /proc: this benchmark runs on Linux.')
  process.exitCode = 1
}
