import { available } from '@chatbox/testkit/servers'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import {
  answer,
  ask,
  askAndWait,
  connected,
  copied,
  listed,
  modelChoice,
  newChat,
  picture,
  questions,
  sidOf,
  usePages,
} from './pages.ts'

interface Seen {
  readonly status: string
  readonly text: string
}

/** Notes each state that the first answer on the page goes through. */
async function watchAnswer(page: Page): Promise<() => Promise<Seen[]>> {
  const seen = await page.evaluateHandle(() => {
    const states: { status: string; text: string }[] = []
    new MutationObserver(() => {
      const answer = document.querySelector('.cb-answer')
      if (!answer) return
      const status = answer.getAttribute('data-status') ?? ''
      const text = answer.querySelector('.cb-md')?.textContent ?? ''
      const last = states.at(-1)
      if (last?.status !== status || last.text !== text) states.push({ status, text })
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true })
    return states
  })
  return () => seen.jsonValue()
}

/** Notes all that a screen reader would say by itself. */
async function listen(page: Page): Promise<() => Promise<string[]>> {
  const heard = await page.evaluateHandle(() => {
    const said: string[] = []
    const isLive = (element: Element) => {
      const live = element.closest('[aria-live]')?.getAttribute('aria-live')
      return live ? live !== 'off' : element.closest('[role="status"], [role="alert"], [role="log"]') !== null
    }
    new MutationObserver((mutations) => {
      for (const { target, addedNodes } of mutations) {
        const element = target instanceof Element ? target : target.parentElement
        if (!element || !isLive(element)) continue
        const news = addedNodes.length > 0 ? [...addedNodes].map((node) => node.textContent) : [element.textContent]
        said.push(...news.map((text) => text ?? '').filter(Boolean))
      }
    }).observe(document.body, { subtree: true, childList: true, characterData: true })
    return said
  })
  return () => heard.jsonValue()
}

describe.skipIf(!(await available('chromium')))('the page', { timeout: 60_000 }, () => {
  const pages = usePages()

  it('shows a question at once, then its answer as it is written, and the same after a reload', async () => {
    const page = await pages.open()
    await picture(page, 'empty')
    const seen = await watchAnswer(page)
    await ask(page, 'How does it work?')
    await questions(page).getByText('How does it work?').waitFor()
    await answer(page, 'done').waitFor()

    const states = await seen()
    expect(states[0]).toEqual({ status: 'pending', text: '' })
    const written = states.filter(({ status, text }) => status === 'pending' && text !== '')
    expect(written.length).toBeGreaterThan(5)
    const lengths = states.map(({ text }) => text.length)
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b))

    await picture(page, 'done')
    const [, stored] = await pages.system.messages(await sidOf(page))
    expect(await copied(page)).toBe(stored?.text)
    const drawn = await answer(page).locator('.cb-md').innerHTML()
    await page.reload()
    await answer(page, 'done').waitFor()
    expect(await answer(page).locator('.cb-md').innerHTML()).toBe(drawn)
    expect(await questions(page).locator('.cb-plain').textContent()).toBe('How does it work?')
  })

  it('lists each conversation by its name, and leads back to it', async () => {
    const page = await pages.open()
    await askAndWait(page, 'Hello, this is the first one')
    const first = await sidOf(page)
    expect(await listed(page).first().textContent()).toContain('Hello, this is the first one')
    expect(await listed(page).first().getAttribute('aria-current')).toBe('true')

    await newChat(page)
    await askAndWait(page, 'Hello, this is the second one')
    expect(await sidOf(page)).not.toBe(first)
    expect(await listed(page).first().textContent()).toContain('the second one')
    expect(await page.locator('.cb-conversation').textContent()).toBe('Hello, this is the second one')

    await listed(page).filter({ hasText: 'the first one' }).click()
    await questions(page).getByText('the first one').waitFor()
    expect(await sidOf(page)).toBe(first)
    await page.goBack()
    await questions(page).getByText('the second one').waitFor()
    await picture(page, 'conversations')
  })

  it('lets people choose among models, and remembers which one a conversation uses', async () => {
    const page = await pages.open()
    const choice = modelChoice(page)
    expect(await choice.locator('option').allInnerTexts()).toEqual(['Demo', 'Demo, quick'])
    await choice.selectOption('Demo, quick')
    await askAndWait(page, 'Hello')
    await answer(page).getByText('Demo, quick').waitFor()
    const sid = await sidOf(page)
    const used = async () => (await pages.system.sessions()).find(({ id }) => id === sid)?.modelId
    expect(await used()).toBe('demo-quick')

    await page.reload()
    await connected(page)
    await expect.poll(() => choice.inputValue()).toBe('demo-quick')
    await choice.selectOption('Demo')
    await askAndWait(page, 'Hello again')
    expect(await used()).toBe('demo')
    expect(await answer(page).locator('.cb-facts').textContent()).toMatch(/^Demo · [\d,]+ tokens$/)
  })

  it('tells a screen reader that an answer begins and that it has ended, and none of its words', async () => {
    const page = await pages.open()
    const heard = await listen(page)
    await askAndWait(page, 'What can you do?')
    expect(await heard()).toEqual(['The assistant is answering.', 'The answer is complete.'])
    await askAndWait(page, 'Fail, please', 'failed')
    expect((await heard()).slice(2)).toEqual([
      'The assistant is answering.',
      'The answer failed. The model failed to answer.',
    ])
  })
})
