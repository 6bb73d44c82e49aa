import { sessionId } from '@chatbox/core'
import { sealedSession, sealedTurn } from '@chatbox/testkit/rows'
import { openSqlite } from '../../src/index.ts'

/** Inserts for as long as it lives, several at once, and says each seq only when its insert has resolved. */
const [file = '', id = ''] = process.argv.slice(2)
const sid = sessionId(id)
const { conversations } = await openSqlite({ file })
await conversations.createSession(sealedSession({ sid }))
let next = (await conversations.totals(sid)).nextSeq

async function insertForEver(): Promise<never> {
  for (;;) {
    const seq = next
    next += 1
    const { kind } = await conversations.insertTurn(sealedTurn(sid, seq))
    if (kind === 'inserted') process.stdout.write(`${seq}\n`)
  }
}
await Promise.all(Array.from({ length: 20 }, insertForEver))
