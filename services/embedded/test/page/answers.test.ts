import { available } from '@chatbox/testkit/servers'
import { describe, expect, it } from 'vitest'
import { answer, ask, askAndWait, copied, picture, questions, sidOf, stopButton, textOf, usePages } from './pages.ts'

describe.skipIf(!(await available('chromium')))('an answer on the page', { timeout: 60_000 }, () => {
  const pages = usePages()
  const stored = async (sid: string) => (await pages.system.messages(sid)).at(-1)
  const answerIdIn = async (sid: string) => {
    const last = await stored(sid)
    return last?.author === 'assistant' ? last.answerId : undefined
  }

  it('keeps what was said when it is stopped in the middle', async () => {
    const page = await pages.open()
    await ask(page, 'Write something long, please')
    await answer(page, 'pending').locator('h4').first().waitFor()
    await picture(page, 'streaming')
    const said = await textOf(page)
    await stopButton(page).click()
    await answer(page, 'cancelled').getByText('This answer was stopped.').waitFor()
    await picture(page, 'stopped')
    expect(await stopButton(page).isVisible()).toBe(false)
    const kept = await copied(page)
    expect(await textOf(page)).toContain(said)

    expect(await stored(await sidOf(page))).toMatchObject({ status: 'cancelled', text: kept })
    await page.reload()
    await answer(page, 'cancelled').waitFor()
    expect(await copied(page)).toBe(kept)
    await askAndWait(page, 'And now something short: hello')
  })

  it('can be stopped before its first word', async () => {
    const page = await pages.open()
    await ask(page, 'Hang, please')
    await answer(page, 'pending').waitFor()
    await picture(page, 'pending')
    await stopButton(page).click()
    await answer(page, 'cancelled').waitFor()
    expect(await stored(await sidOf(page))).toMatchObject({ status: 'cancelled', text: '' })
  })

  it('goes on where it is after a reload, and ends with the text that is stored', async () => {
    const page = await pages.open()
    await ask(page, 'Write something long, please')
    await answer(page, 'pending').locator('h4').nth(1).waitFor()
    const before = await textOf(page)
    await page.reload()
    const half = await answer(page, 'pending').locator('.cb-md:not(:empty)').elementHandle()
    const after = (await half?.textContent()) ?? ''
    // A word may still be growing, and Markdown with it.
    expect(after.slice(0, before.length - 20)).toBe(before.slice(0, -20))
    await answer(page, 'done').waitFor()
    expect(await copied(page)).toBe((await stored(await sidOf(page)))?.text)
    expect(await page.locator('.cb-answer').count()).toBe(1)
  })

  it('that failed keeps what was said, says so, and can be asked for again', async () => {
    const page = await pages.open()
    await askAndWait(page, 'Fail, please', 'failed')
    await picture(page, 'failed')
    expect(await textOf(page)).toContain('an answer that will not come to its end')
    expect(await stored(await sidOf(page))).toMatchObject({ status: 'failed', text: await copied(page) })

    const first = await answerIdIn(await sidOf(page))
    await answer(page).getByRole('button', { name: 'Try again' }).click()
    await answer(page, 'pending').waitFor()
    await answer(page, 'failed').waitFor()
    expect(await questions(page).locator('.cb-plain').allTextContents()).toEqual(['Fail, please'])
    expect(await answerIdIn(await sidOf(page))).not.toBe(first)
    expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(1)
  })

  it('can be written once more, in its place, on every device', async () => {
    const profile = await pages.profile()
    const page = await pages.open({ profile })
    await askAndWait(page, 'Hello')
    const sid = await sidOf(page)
    const first = await answerIdIn(sid)
    const other = await pages.open({ profile, at: `/#chat/${sid}` })
    await answer(other, 'done').waitFor()
    const begun = Promise.all([page, other].map((tab) => answer(tab, 'pending').waitFor()))
    await page.getByRole('button', { name: 'Write another answer' }).click()
    await begun
    await picture(page, 'another-answer')
    for (const tab of [page, other]) {
      await answer(tab, 'done').waitFor()
      expect(await tab.locator('.cb-answer').count()).toBe(1)
    }
    expect(await stored(sid)).toMatchObject({ status: 'done', text: await copied(page) })
    expect(await answerIdIn(sid)).not.toBe(first)
    expect(await questions(page).count()).toBe(1)
  })

  it('that the model refused is not worth another try, and none is offered', async () => {
    const page = await pages.open()
    await askAndWait(page, 'Refuse, please', 'failed')
    await answer(page).getByText('The model refused').waitFor()
    expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(0)
  })
})
