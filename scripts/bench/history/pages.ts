import { type Conversations, type SealedConversations, sessionId } from '@chatbox/core'
import { quantile } from '../lib/quantile.ts'
import { activityOf, LISTER, LONG_SESSION, middleOf, SESSIONS, seqOf, TURNS } from './rows.ts'

/** Databases with rows in them, as services see them and as they are stored. */
export interface Filled {
  readonly conversations: Conversations
  readonly stored: SealedConversations
  readonly seconds: number
  /** What the server looked at for this, where it tells. */
  examined(read: () => Promise<unknown>): Promise<Examined | undefined>
  close(): Promise<void>
}

export interface Examined {
  readonly keys: number
  readonly documents: number
}

export interface PageCost {
  readonly name: string
  /** How many rows a page has. */
  readonly rows: number
  readonly p50: number
  readonly p99: number
  readonly cpuUs: number
  readonly examined: Examined | undefined
}

interface Page {
  readonly name: string
  readonly rows: number
  read(): Promise<readonly unknown[]>
}

/** Only those of less activity follow. */
const BEFORE_ANY = sessionId('')

/** Pages as the routes ask for them, opened; and anywhere, not opened, because only some rows can be. */
function pagesOf({ conversations, stored }: Filled, count: number): Page[] {
  const turns = (name: string, before?: number): Page => ({
    name: `messages, ${name}`,
    rows: TURNS,
    read: () => conversations.turns(LONG_SESSION, { limit: TURNS, before: before ?? Number.MAX_SAFE_INTEGER }),
  })
  const sessions = (name: string, below?: number): Page => ({
    name: `sessions, ${name}`,
    rows: SESSIONS,
    read: () =>
      conversations.listSessions(LISTER, {
        limit: SESSIONS,
        ...(below !== undefined && { after: { lastActivity: activityOf(below), sid: BEFORE_ANY } }),
      }),
  })
  const somewhere = (page: number) => page + Math.floor(Math.random() * (count - page))
  return [
    turns('first page'),
    turns('in the middle', seqOf(middleOf(count))),
    turns('last page', seqOf(TURNS)),
    {
      name: 'messages, anywhere, sealed',
      rows: TURNS,
      read: () => stored.turns(LONG_SESSION, { limit: TURNS, before: seqOf(somewhere(TURNS)) }),
    },
    sessions('first page'),
    sessions('in the middle', middleOf(count)),
    sessions('last page', SESSIONS),
    {
      name: 'sessions, anywhere, sealed',
      rows: SESSIONS,
      read() {
        const below = somewhere(SESSIONS)
        const after = { lastActivity: activityOf(below), sid: BEFORE_ANY }
        return stored.listSessions(LISTER, { limit: SESSIONS, after })
      },
    },
  ]
}

/** In turns, so that what else the machine does falls on all of them alike. */
export async function measurePages(filled: Filled, count: number, times: number): Promise<PageCost[]> {
  const pages = pagesOf(filled, count).map((page) => ({ page, took: [] as number[], cpu: [] as number[] }))
  for (const { page } of pages) {
    const { length } = await page.read()
    if (length !== page.rows) throw new Error(`${page.name}: ${length} rows in place of ${page.rows}`)
  }
  for (let i = 0; i < times; i++) {
    for (const { page, took, cpu } of pages) {
      const [cpuBefore, before] = [process.cpuUsage(), performance.now()]
      await page.read()
      took.push(performance.now() - before)
      const { user, system } = process.cpuUsage(cpuBefore)
      cpu.push(user + system)
    }
  }
  const costs: PageCost[] = []
  for (const { page, took, cpu } of pages) {
    const [p50, p99] = [quantile(took, 0.5), quantile(took, 0.99)]
    const examined = await filled.examined(() => page.read())
    costs.push({ name: page.name, rows: page.rows, p50, p99, cpuUs: quantile(cpu, 0.5), examined })
  }
  return costs
}
