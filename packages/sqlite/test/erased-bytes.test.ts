import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Turn, userId } from '@chatbox/core'
import { sealedQuestion, sealedSession, sealedTurn } from '@chatbox/testkit/rows'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openSqlite } from '../src/index.ts'
import { someFile } from './lib/folder.ts'

/** Long enough to fill pages of their own. */
const marked = (mark: string, length = 40) => new Uint8Array(Buffer.from(`${mark}.`.repeat(length)))

/** In how many of the folder's files the mark is found. */
function filesWith(file: string, mark: string): string[] {
  const folder = dirname(file)
  return readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(mark))
}

async function livedSession(file: string) {
  const store = await openSqlite({ file })
  onTestFinished(store.close)
  const { conversations } = store
  const share = { hash: 'SHAREMARK', until: 1 }
  const names = { nm: marked('NAMEMARK', 5), preview: marked('PREVIEWMARK', 5) }
  const session = sealedSession({ key: marked('KEYMARK', 5), ...names, share, uid: userId('UIDMARK') })
  const { sid } = session
  await conversations.createSession(session)
  let seq = 1
  for (let i = 0; i < 20; i += 1) {
    const question = sealedQuestion(sid, seq, { content: marked('CONTENTMARK'), authorId: session.uid })
    const { answerId } = question.answer
    const end = { status: 'done', endedAt: 1 } as const
    await conversations.insertTurn(question)
    await conversations.endAnswer(sid, answerId, {
      ...end,
      text: marked('OLDMARK', i % 2 === 0 ? 10 : 3_000),
      thread: marked('OLDTHREADMARK', 5),
    })
    await conversations.rateAnswer(sid, answerId, { rating: 'up', comment: marked('OLDCOMMENTMARK', 5), ts: 1 })
    const next = { ...question.answer, answerId: sealedQuestion(sid, seq).answer.answerId }
    await conversations.supersede(sid, seq, answerId, next)
    await conversations.endAnswer(sid, next.answerId, {
      ...end,
      text: marked('TEXTMARK', i % 3 === 0 ? 3_000 : 10),
      thread: marked('NEWTHREADMARK', 5),
    })
    await conversations.rateAnswer(sid, next.answerId, { rating: 'up', comment: marked('NEWCOMMENTMARK', 5), ts: 1 })
    seq += 2
  }
  const stub: Turn<Uint8Array, Uint8Array> = sealedTurn(sid, seq, { event: 'erased' })
  return { ...store, session, sid, stub }
}

const keyMarks = ['KEYMARK', 'NAMEMARK', 'PREVIEWMARK', 'SHAREMARK']
const marks = [
  'CONTENTMARK',
  'OLDMARK',
  'TEXTMARK',
  'OLDCOMMENTMARK',
  'NEWCOMMENTMARK',
  'OLDTHREADMARK',
  'NEWTHREADMARK',
]

describe('what is erased (R22)', () => {
  it('is in no file of the folder when the erasure has resolved', async () => {
    const file = someFile()
    const { conversations, sid, stub } = await livedSession(file)
    for (const mark of [...marks, ...keyMarks]) expect(filesWith(file, mark)).not.toEqual([])
    await conversations.eraseKey(sid)
    for (const mark of keyMarks) expect(filesWith(file, mark)).toEqual([])
    await conversations.eraseTurns(sid, stub)
    for (const mark of marks) expect(filesWith(file, mark)).toEqual([])
  })

  it('is in no file either where it had been in the main file for long', async () => {
    const file = someFile()
    const { conversations, close, sid, stub } = await livedSession(file)
    await close()
    expect(existsSync(`${file}-wal`)).toBe(false)
    for (const mark of marks) expect(filesWith(file, mark)).toEqual(['chatbox.db'])
    await expect(conversations.ping()).rejects.toMatchObject({ code: 'closed' })

    const again = await openSqlite({ file })
    onTestFinished(again.close)
    await again.conversations.eraseKey(sid)
    await again.conversations.eraseTurns(sid, stub)
    for (const mark of [...marks, ...keyMarks]) expect(filesWith(file, mark)).toEqual([])
  })

  it('has no id of its user in any file when that was forgotten', async () => {
    const file = someFile()
    const { conversations, sid, stub, session } = await livedSession(file)
    await conversations.eraseKey(sid)
    await conversations.eraseTurns(sid, stub)
    await conversations.changeSession(sid, 1, { erased: true })
    expect(filesWith(file, 'UIDMARK')).not.toEqual([])
    await conversations.forgetUser(session.uid, userId('an-alias'))
    expect(filesWith(file, 'UIDMARK')).toEqual([])
    expect((await conversations.session(sid))?.uid).toBe('an-alias')
  })

  it('leaves what others wrote', async () => {
    const file = someFile()
    const { conversations, sid, stub } = await livedSession(file)
    const other = sealedSession()
    await conversations.createSession(other)
    const kept = sealedTurn(other.sid, 1, { content: marked('KEPTMARK') })
    await conversations.insertTurn(kept)
    await conversations.eraseTurns(sid, stub)
    expect(filesWith(file, 'KEPTMARK')).not.toEqual([])
    expect(await conversations.turn(other.sid, 1)).toEqual(kept)
  })
})
