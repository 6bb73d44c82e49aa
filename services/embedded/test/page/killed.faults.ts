import { available } from '@chatbox/testkit/servers'
import { describe, expect, it } from 'vitest'
import { dataFolder, startSystem } from '../system.ts'
import { freePort } from './line.ts'
import { AWAY, answer, ask, banner, copied, sidOf, usePages } from './pages.ts'

describe.skipIf(!(await available('chromium')))('a connection that drops', { timeout: 60_000 }, () => {
  const pages = usePages()

  it('because the server was killed is there again with the server: the answer is done anew, and ends once', async () => {
    pages.allow(AWAY)
    const data = dataFolder()
    const port = await freePort()
    const first = await startSystem({ data, port })
    const page = await pages.open({ url: first.url })
    await ask(page, 'Slowly: what is Chatbox?')
    await answer(page, 'pending').getByText('It is the part').waitFor()
    first.process.kill('SIGKILL')
    await first.process.exited
    await banner(page).waitFor()
    await ask(page, 'Hello, are you there?')

    const second = await startSystem({ data, port })
    await banner(page).waitFor({ state: 'hidden' })
    await page.locator('.cb-answer').nth(1).and(answer(page, 'done')).waitFor()
    const stored = await second.messages(await sidOf(page))
    expect(stored.map(({ author, text }) => (author === 'user' ? text : author))).toEqual([
      'Slowly: what is Chatbox?',
      'assistant',
      'Hello, are you there?',
      'assistant',
    ])
    expect(stored.map((message) => ('status' in message ? message.status : 'said'))).toEqual([
      'said',
      'done',
      'said',
      'done',
    ])
    const drawn = page.locator('.cb-md')
    const live = await drawn.allTextContents()
    await page.reload()
    await page.locator('.cb-answer').nth(1).waitFor()
    expect(await drawn.allTextContents()).toEqual(live)
    expect(await copied(page)).toBe(stored[3]?.text)
  })
})
