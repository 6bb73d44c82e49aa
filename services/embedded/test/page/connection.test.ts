import { randomBytes } from 'node:crypto'
import { available } from '@chatbox/testkit/servers'
import { afterEach, describe, expect, it } from 'vitest'
import { startSystem } from '../system.ts'
import { type Line, startLine } from './line.ts'
import { AWAY, answer, ask, askAndWait, banner, copied, picture, questions, sidOf, textOf, usePages } from './pages.ts'

describe.skipIf(!(await available('chromium')))('a connection that drops', { timeout: 60_000 }, () => {
  const pages = usePages()
  const lines: Line[] = []
  afterEach(async () => {
    for (const line of lines.splice(0)) await line.close()
  })

  it('in the middle of an answer comes back by itself, and the answer ends with the stored text', async () => {
    pages.allow(AWAY)
    const line = await startLine(pages.system.url)
    lines.push(line)
    const page = await pages.open({ url: line.url })
    await ask(page, 'Slowly: what is Chatbox?')
    await answer(page, 'pending').getByText('It is the part').waitFor()
    line.cut()
    await banner(page).getByText('No connection.').waitFor()
    await picture(page, 'no-connection')
    const held = await textOf(page)

    line.mend()
    await banner(page).waitFor({ state: 'hidden' })
    await answer(page, 'done').waitFor()
    expect(await textOf(page)).toContain(held)
    expect(await copied(page)).toBe((await pages.system.messages(await sidOf(page)))[1]?.text)
  })

  it('lets people write on: what they say meanwhile is sent once it is back, once and in order', async () => {
    pages.allow(AWAY)
    const line = await startLine(pages.system.url)
    lines.push(line)
    const page = await pages.open({ url: line.url })
    await askAndWait(page, 'Hello')
    line.cut()
    await banner(page).waitFor()
    await ask(page, 'Said without a connection')
    await ask(page, 'And this too')
    await page.getByText('Sending…').nth(1).waitFor()
    await picture(page, 'sending')
    // What waits to be sent outlives the page.
    line.mend()
    await page.reload()

    await page.locator('.cb-answer').nth(2).and(answer(page, 'done')).waitFor()
    const said = ['Hello', 'Said without a connection', 'And this too']
    expect(await questions(page).locator('.cb-plain').allTextContents()).toEqual(said)
    const stored = await pages.system.messages(await sidOf(page))
    expect(stored.filter(({ author }) => author === 'user').map(({ text }) => text)).toEqual(said)
    expect(await page.getByText('Sending…').count()).toBe(0)
  })

  it('is not tried for ever where the page gets no token: it says that a sign-in is needed, and asks once', async () => {
    pages.allow(/401/)
    const { url } = await startSystem({ env: { JWT_SECRET: randomBytes(32).toString('base64url') } })
    const page = await (await pages.profile()).newPage()
    const asked: string[] = []
    page.on('request', (request) => {
      if (request.url().endsWith('/chat/demo/token')) asked.push(request.method())
    })
    await page.goto(url)
    await banner(page).getByText('This chat needs a sign-in.').waitFor()
    await picture(page, 'needs-a-sign-in')
    expect(asked).toEqual(['POST'])
    await banner(page).getByRole('button', { name: 'Reconnect' }).waitFor()
  })
})
