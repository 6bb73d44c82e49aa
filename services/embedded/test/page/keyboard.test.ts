import { available } from '@chatbox/testkit/servers'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { answer, askAndWait, connected, messageBox, picture, questions, sidOf, usePages } from './pages.ts'

/** What a screen reader would call that which has the focus. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement === document.body ? null : document.activeElement
    if (element instanceof HTMLPreElement) return 'code'
    const label = element?.getAttribute('aria-label') ?? element?.querySelector('.cb-session-name')?.textContent
    return label ?? element?.textContent?.trim() ?? ''
  })

/** Presses `key` until what is called `name` has the focus. */
async function goTo(page: Page, name: string, key = 'Tab'): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    if ((await focused(page)) === name) return
    await page.keyboard.press(key)
  }
  throw new Error(`${name} was not reached by ${key}`)
}

describe.skipIf(!(await available('chromium')))('with a keyboard alone', { timeout: 60_000 }, () => {
  const pages = usePages()

  it('everything is reached, in the order in which it is seen', async () => {
    const page = await pages.open()
    await askAndWait(page, 'Show me some code')
    await page.evaluate(() => (document.activeElement as HTMLElement).blur())
    await messageBox(page).fill('A draft')
    await page.locator('.cb-skip').focus()

    const order: string[] = []
    for (let presses = 0; presses < 30; presses++) {
      const name = await focused(page)
      // Past the last one the focus leaves the page.
      if (name === '') break
      order.push(name)
      const outline = await page.evaluate(() => {
        const element = document.activeElement
        const box = element?.matches('textarea') ? element.closest('.cb-composer-box') : element
        const style = box && getComputedStyle(box)
        return style?.outlineStyle !== 'none' || style.boxShadow !== 'none'
      })
      expect(outline, `${name} shows that it has the focus`).toBe(true)
      await page.keyboard.press('Tab')
    }
    // There while the end is out of sight, which depends on how the focus has scrolled the log.
    expect(order.filter((name) => name !== 'Jump to latest')).toEqual([
      'Skip to the message box',
      'New chat',
      'Show me some code',
      'Use dark colours',
      'Messages',
      'Copy',
      'code',
      'Copy',
      'code',
      'Copy the answer',
      'Write another answer',
      'Message',
      'Model',
      'Send',
    ])
  })

  it('people can write, stop, skip to the message box, and go from one conversation to another', async () => {
    const page = await pages.open()
    expect(await focused(page)).toBe('Message')
    await page.keyboard.type('first line')
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.type('Write something long, please')
    await page.keyboard.press('Enter')
    expect(await questions(page).locator('.cb-plain').textContent()).toBe('first line\nWrite something long, please')
    await answer(page, 'pending').locator('h4').first().waitFor()
    await page.keyboard.press('Escape')
    await answer(page, 'cancelled').waitFor()
    expect(await focused(page)).toBe('Message')
    const first = await sidOf(page)

    await page.reload()
    await connected(page)
    await page.evaluate(() => (document.activeElement as HTMLElement).blur())
    await goTo(page, 'Skip to the message box')
    await picture(page, 'skip-link')
    await page.keyboard.press('Enter')
    expect(await focused(page)).toBe('Message')

    await goTo(page, 'New chat', 'Shift+Tab')
    await page.keyboard.press('Enter')
    expect(await focused(page)).toBe('Message')
    await page.keyboard.type('Hello')
    await page.keyboard.press('Enter')
    await answer(page, 'done').waitFor()
    expect(await sidOf(page)).not.toBe(first)

    await goTo(page, 'Hello', 'Shift+Tab')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await questions(page).getByText('first line').waitFor()
    expect(await sidOf(page)).toBe(first)
  })

  it('whoever jumps to the latest is in the messages then', async () => {
    const page = await pages.open()
    await page.setViewportSize({ width: 800, height: 320 })
    await askAndWait(page, 'Show me some code')
    await goTo(page, 'Messages', 'Shift+Tab')
    await page.keyboard.press('Home')
    const jump = page.getByRole('button', { name: 'Jump to latest' })
    // Going there by Tab would pass the buttons of the answer, which scrolls to the end as well.
    await jump.focus()
    await page.keyboard.press('Enter')
    await jump.waitFor({ state: 'hidden' })
    expect(await focused(page)).toBe('Messages')
  })

  it('a failed answer can be asked for again, and the focus goes on where one writes', async () => {
    const page = await pages.open()
    await askAndWait(page, 'Fail, please', 'failed')
    await goTo(page, 'Try again', 'Shift+Tab')
    await page.keyboard.press('Enter')
    await answer(page, 'pending').waitFor()
    await answer(page, 'failed').waitFor()
    expect(await focused(page)).toBe('Message')
  })

  it('the model can be chosen', async () => {
    const page = await pages.open()
    await goTo(page, 'Model')
    await page.keyboard.press('ArrowDown')
    await goTo(page, 'Message', 'Shift+Tab')
    await page.keyboard.type('Hello')
    await page.keyboard.press('Enter')
    await answer(page, 'done').getByText('Demo, quick').waitFor()
  })
})
