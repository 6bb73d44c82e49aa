import { parseArgs } from 'node:util'
import { machineFacts } from './lib/machine.ts'
import { quantile } from './lib/quantile.ts'
import { table } from './lib/table.ts'
import { withServers } from './streams/house.ts'
import { killInTurn } from './streams/takeover.ts'

// npm run bench -- takeover-of-work: a worker is killed while it streams, and another one goes on with its answers. Takes about three
// minutes; `--pairs=1 --kills=1` takes half a one.

const { values: flags } = parseArgs({
  options: {
    /** Pairs of workers side by side, each with an edge and storage of its own. */
    pairs: { type: 'string', default: '4' },
    /** Of each pair, one after another. */
    kills: { type: 'string', default: '6' },
    /** Under way at each kill. */
    answers: { type: 'string', default: '5' },
  },
})
const PAIRS = Number(flags.pairs)
/** Few: it is the waiting that is measured, not the load. */
const LOAD = { kills: Number(flags.kills), answers: Number(flags.answers), tokensPerSecond: 10 }
const GOAL_S = 20

for (const line of machineFacts()) console.log(line)
await withServers(async (servers) => {
  const pairs = Array.from({ length: PAIRS }, (_, i) => killInTurn(servers, `pair-${i}`, LOAD))
  const kills = (await Promise.all(pairs)).flat()
  const seconds = kills.flatMap(({ taken }) => taken).map((ms) => ms / 1_000)
  const never = kills.reduce((sum, kill) => sum + kill.never, 0)
  const lasts = kills.map(({ taken }) => quantile(taken, 1) / 1_000)
  console.log(
    '\nSeconds from SIGKILL to the first token of the next attempt at the client; of a kill, its last answer.\n',
  )
  const header = [
    'kills',
    'answers',
    'p50 s',
    'p99 s',
    'max s',
    'shortest kill',
    'median kill',
    'longest kill',
    'never',
  ]
  const row = [
    ...[`${kills.length}`, `${seconds.length + never}`],
    ...[0.5, 0.99, 1].map((q) => quantile(seconds, q)),
    ...[0, 0.5, 1].map((q) => quantile(lasts, q)),
    `${never}`,
  ]
  console.log(table(header, [row]))
  const met = never === 0 && quantile(seconds, 1) <= GOAL_S
  console.log(`\nwithin ${GOAL_S} s (L4): ${met ? 'met' : 'missed'}`)
})
