import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { answerId, type Conversations, userId } from '@chatbox/core'
import { rotate } from '@chatbox/crypto'
import { describe, expect, it } from 'vitest'
import { recording } from '../recording.ts'
import { ring } from '../rings.ts'
import { openConversations } from './open-conversations.ts'
import { anna, end, PARTITION, pendingAnswer, SECRET, session, sid, stub, turn } from './samples.ts'

async function watched() {
  const opened = await openConversations()
  const seen = recording()
  const between = seen.wrap('conversations', opened.inner)
  const methods = Object.keys(opened.inner) as (keyof typeof between)[]
  const wrapped = Object.fromEntries(methods.map((name) => [name, between[name].bind(between)]))
  const conversations = { ...opened.inner, ...wrapped }
  return { ...opened, seen, methods, sealed: opened.another({ between: wrapped }), conversations }
}

/** Everything that a service may ask for, with what must not be seen wherever it may stand. */
async function walk(conversations: Conversations): Promise<void> {
  const first = turn(1)
  const asked = first.answer?.answerId ?? answerId('')
  await conversations.createSession(session())
  await conversations.createSession(session())
  await conversations.insertTurn(first)
  await conversations.insertTurn(turn(3, { superseded: [{ ...pendingAnswer('old'), status: 'done', text: SECRET }] }))
  await conversations.changeSession(sid, 0, {
    nm: `${SECRET} renamed`,
    preview: SECRET,
    share: { hash: 'hash', until: 9 },
    adminAssisted: true,
    assistingAdminId: userId('admin'),
    assistingAdminName: SECRET,
  })
  await conversations.beginAttempt(sid, asked, 0, 'fresh')
  await conversations.changePending(sid, asked, { n: 0 }, { due: 5, cancelAt: 6, n: 1, handbacks: 1 })
  await conversations.endAnswer(sid, asked, end(), 1)
  await conversations.rateAnswer(sid, asked, { rating: 'down', comment: SECRET, ts: 7 })
  await conversations.settle(sid, 1, asked)
  await conversations.supersede(sid, 1, asked, { ...pendingAnswer('next'), text: SECRET })
  await conversations.tokensSince(anna, 0)
  await conversations.sessionByShare('hash')
  await conversations.erasable({ uid: anna, limit: 1 })
  await conversations.unsettledOf(PARTITION, 10)
  await conversations.session(sid)
  await conversations.listSessions(anna, { limit: 10 })
  await conversations.turn(sid, 1)
  await conversations.turns(sid, { limit: 10 })
  await conversations.turnByAnswerId(sid, asked)
  await conversations.turnByClientMessageId(anna, first.cmid!)
  await conversations.totals(sid)
  await conversations.ping()
}

describe('a database behind sealed conversations', () => {
  it('sees nothing that a person or a model wrote, whatever is asked of it (X5)', async () => {
    const { seen, sealed, unopenable, conversations } = await watched()
    await walk(sealed)
    await rotate({ conversations, keyring: ring('k2', 'k1'), values: true })
    await sealed.eraseTurns(sid, stub(5))
    expect(unopenable).toEqual([])
    expect(seen.holds('canary')).toBe(false)
    expect(seen.holds('pdf')).toBe(false)
    // What it does see is seen by this test.
    expect(seen.holds('model-1')).toBe(true)
  })

  it('is asked for every one of its methods by this test', async () => {
    const { seen, methods, conversations, sealed } = await watched()
    await walk(sealed)
    await rotate({ conversations, keyring: ring('k2', 'k1'), values: true })
    await sealed.eraseTurns(sid, stub(5))
    await sealed.forgetUser(anna, userId('alias'))
    await sealed.close()
    expect([...seen.called].sort()).toEqual(methods.map((name) => `conversations.${name}`).sort())
  })

  it('sees these fields in clear, and gets bytes for the others', async () => {
    const { seen, sealed } = await watched()
    await walk(sealed)
    await sealed.eraseTurns(sid, stub(5))
    expect([...seen.fields].sort()).toEqual(
      [
        // Sealed.
        ['nm', 'preview', 'assistingAdminName', 'content', 'text', 'thread', 'comment', 'key'],
        // Sessions.
        ['sid', 'uid', 'partition', 'modelId', 'ts', 'lastActivity', 'adminAssisted', 'assistingAdminId'],
        ['helpRequested', 'totalTokens', 'totalCost', 'msgCount', 'rts', 'ownerEpoch', 'readSeq', 'erased', 'rev'],
        ['share', 'hash', 'until', 'keyId'],
        // Turns and answers.
        ['seq', 'width', 'author', 'authorId', 'cmid', 'kind', 'event', 'unsettled', 'answer', 'superseded'],
        ['rating'],
        ['answerId', 'status', 'attempt', 'faults', 'handbacks', 'n', 'due', 'cancelAt', 'askedAt', 'endedAt'],
        ['usage', 'inputTokens', 'outputTokens', 'estimated'],
        // Questions.
        ['limit'],
      ]
        .flat()
        .sort(),
    )
  })

  it('has nothing of it in its files', async () => {
    const { folder, sealed } = await watched()
    await walk(sealed)
    const files = await readdir(folder)
    expect(files.length).toBeGreaterThan(1)
    const all = Buffer.concat(await Promise.all(files.map((name) => readFile(join(folder, name)))))
    expect(all.includes(Buffer.from('model-1'))).toBe(true)
    for (const encoding of ['utf8', 'utf16le'] as const)
      expect(all.includes(Buffer.from('canary', encoding))).toBe(false)
  })
})
