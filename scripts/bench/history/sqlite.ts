import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { SessionId } from '@chatbox/core'
import { createKeyring, sealedConversations } from '@chatbox/crypto'
import { openSqlite } from '@chatbox/sqlite'
import { temporaryFolder } from '@chatbox/testkit/folders'
import Database from 'libsql'
import type { Filled } from './pages.ts'
import { activityOf, copiedOf, LISTER, LONG_SESSION, sidOf, writeRows } from './rows.ts'

/** Memory for the filling, in KiB: ids are random, so what is written next may belong anywhere. */
const CACHE_KIB = 1_000_000

export async function fillSqlite(count: number): Promise<Filled> {
  const folder = temporaryFolder('history')
  const file = join(folder, 'chatbox.db')
  const keyring = createKeyring({ keys: [{ id: 'k1', key: randomBytes(32) }] })
  const begun = performance.now()
  const first = await openSqlite({ file })
  await writeRows(sealedConversations(first.conversations, keyring, { onUnopenable: unopenable }), count)
  await first.close()
  copyRows(file, count)
  const seconds = (performance.now() - begun) / 1_000

  const { conversations: stored } = await openSqlite({ file })
  return {
    conversations: sealedConversations(stored, keyring, { onUnopenable: unopenable }),
    stored,
    seconds,
    // It does not tell; that no query of the product scans or sorts is shown by its plans, in a test.
    examined: async () => undefined,
    async close() {
      await stored.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const unopenable = () => {
  throw new Error('what was sealed a moment ago does not open')
}

/** In one transaction, of which nothing would be left after a crash. */
function copyRows(file: string, count: number): void {
  const database = new Database(file)
  database.exec(`pragma synchronous = off; pragma cache_size = -${CACHE_KIB}; begin`)
  const columnsOf = (from: string): string[] =>
    database
      .prepare(`select name from pragma_table_info('${from}')`)
      .all()
      .map((row) => String((row as { name: unknown }).name))

  /** As many copies of one row as there are rows in `of`, with other values in these columns. */
  function copy(into: string, { where, other, of }: Copies): void {
    const columns = columnsOf(into)
    const values = columns.map((name) => other[name] ?? `one.${name}`)
    database.exec(
      `insert into ${into} (${columns.join(', ')}) select ${values.join(', ')} from (select * from ${into} where ${where} limit 1) as one, ${of}`,
    )
  }
  const sealed = (name: string) => ({ [name]: `randomblob(length(one.${name}))` })
  const id = 'lower(hex(randomblob(11)))'
  const rowOf = (sid: SessionId) => `sid = '${sid}'`

  for (const [from, to] of copiedOf(count)) {
    const of = `(with recursive counted(i) as (select ${from} union all select i + 1 from counted where i + 1 < ${to}) select i from counted) as n`
    copy('turns', {
      where: rowOf(LONG_SESSION),
      other: {
        seq: '2 * n.i + 1',
        cmid: id,
        answer_id: id,
        ts: 'one.ts + n.i',
        ...sealed('content'),
        ...sealed('text'),
      },
      of,
    })
    const names = { ...sealed('key'), ...sealed('nm'), ...sealed('preview') }
    copy('sessions', {
      where: rowOf(sidOf(0)),
      other: { sid: id, last_activity: `${activityOf(0)} + n.i`, ...names },
      of,
    })
  }
  copy('turns', {
    where: rowOf(sidOf(0)),
    other: { sid: 'n.sid', cmid: id, ...sealed('content') },
    of: `(select sid from sessions where uid = '${LISTER}' and not exists (select 1 from turns where turns.sid = sessions.sid)) as n`,
  })
  database.exec('commit')
  database.close()
}

interface Copies {
  readonly where: string
  readonly other: Readonly<Record<string, string>>
  /** A table or a query that is called `n`. */
  readonly of: string
}
