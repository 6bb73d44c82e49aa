import { quantile } from '../lib/quantile.ts'
import { type Cell, table } from '../lib/table.ts'
import type { Idle, Memory } from './connections.ts'
import type { Cost } from './guarantees.ts'
import type { Level, LevelResult } from './turns.ts'

/** `demo-quick` waits between these before it speaks, any time as likely as another. */
const PROVIDER_MS = { least: 50, most: 100 }
const PROVIDER_MEAN_MS = (PROVIDER_MS.least + PROVIDER_MS.most) / 2

export const ABOUT_TURNS = `Milliseconds from sending to acceptance and to the first token. Each user sends at a fixed rate, and waits for the end of the
answer. The provider takes ${PROVIDER_MS.least} to ${PROVIDER_MS.most} ms before it speaks; "beyond" is the mean time to the first token without the mean of that.
"by round" are the medians of the rounds, the least and the greatest. Processor time is the server's, for a message with its whole answer.`

export function turnsTable(results: readonly (readonly [Level, LevelResult])[]): string {
  const header = ['users', 'each every', 'messages', 'a second', 'accepted p50', 'p99', 'p50 by round']
  const more = ['first token p50', 'p99', 'beyond', 'CPU ms/message', 'frames/message', 'of a processor']
  return table([...header, ...more], results.map(turnsRow))
}

function turnsRow([{ users, everyMs }, result]: readonly [Level, LevelResult]): Cell[] {
  const { rounds, perSecond, cpuMsPerMessage, busy } = result
  const turns = rounds.flat()
  const accepted = turns.map(({ acceptedMs }) => acceptedMs)
  const first = turns.map(({ firstTokenMs }) => firstTokenMs)
  const medians = rounds.map((round) => median(round.map(({ acceptedMs }) => acceptedMs)))
  return [
    ...[`${users}`, `${everyMs / 1_000} s`, `${turns.length}`, perSecond],
    ...[
      median(accepted),
      quantile(accepted, 0.99),
      `${Math.min(...medians).toFixed(1)} to ${Math.max(...medians).toFixed(1)}`,
    ],
    ...[median(first), quantile(first, 0.99), mean(first) - PROVIDER_MEAN_MS],
    ...[cpuMsPerMessage, mean(turns.map(({ frames }) => frames)), `${(busy * 100).toFixed(0)} %`],
  ]
}

export type Named = readonly [server: string, idle: readonly Idle[]]

/** As the servers stand when they are left alone. */
export function settledTable(servers: readonly Named[]): string {
  const header = ['server', 'connections', 'RSS MiB', 'RSS KiB each', 'private KiB each', 'RSS KiB for each more']
  const rows = perCount(servers, ({ name, now, before, last }) => [
    ...[name, `${now.connections}`, now.memory.rssKiB / 1_024],
    ...[each(now, before, rss), each(now, before, (memory) => memory.privateKiB), each(now, last, rss), now.cpuUsEach],
  ])
  return table([...header, 'CPU µs to open one'], rows)
}

/** With their garbage collected: what the connections are made of. */
export function collectedTable(servers: readonly Named[]): string {
  const header = [
    'server',
    'connections',
    'heap MiB',
    'heap KiB each',
    'RSS MiB',
    'RSS KiB each',
    'RSS KiB for each more',
  ]
  const rows = perCount(servers, ({ name, now, before, last }) => [
    ...[name, `${now.connections}`, heap(now.memory) / 1_024, each(now, before, heap)],
    ...[now.memory.rssKiB / 1_024, each(now, before, rss), each(now, last, rss)],
  ])
  return table(header, rows)
}

export const guaranteesTable = (costs: readonly Cost[]): string =>
  table(
    ['what', 'µs'],
    costs.map(({ what, us }) => [what, us]),
  )

interface Counted {
  readonly name: string
  readonly now: Idle
  readonly before: Idle
  readonly last: Idle
}

function perCount(servers: readonly Named[], row: (counted: Counted) => Cell[]): Cell[][] {
  return servers.flatMap(([name, idle]) =>
    idle.map((now, i) => {
      const [before = now] = idle
      const cells = row({ name, now, before, last: idle[i - 1] ?? now })
      return cells.map((cell) => (typeof cell === 'number' && Number.isNaN(cell) ? '' : cell))
    }),
  )
}

const rss = (memory: Memory): number => memory.rssKiB
const heap = (memory: Memory): number => memory.heapKiB ?? Number.NaN

/** KiB for each connection that there is more than there was. */
export const each = (now: Idle, then: Idle, of: (memory: Memory) => number = rss): number =>
  (of(now.memory) - of(then.memory)) / (now.connections - then.connections)

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
const median = (values: readonly number[]): number => quantile(values, 0.5)
