import { available } from '@chatbox/testkit/servers'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import {
  answer,
  ask,
  askAndWait,
  connected,
  listed,
  newChat,
  picture,
  questions,
  stopButton,
  usePages,
} from './pages.ts'

const PHONE = { viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }

/** What is wider than the screen, beside what scrolls in a box of its own. */
const wider = (page: Page) =>
  page.evaluate(() => {
    const scrolls = (element: Element | null): boolean =>
      element !== null && (getComputedStyle(element).overflowX === 'auto' || scrolls(element.parentElement))
    const width = document.documentElement.clientWidth
    const shown = [...document.querySelectorAll('.cb-main, .cb-main *')].filter(
      (element) => !element.matches('.cb-hidden, .cb-hidden *') && element.getBoundingClientRect().width > 0,
    )
    const out = shown.filter((element) => {
      const { left, right } = element.getBoundingClientRect()
      return (left < -0.5 || right > width + 0.5) && !scrolls(element.parentElement?.closest('pre, .cb-table') ?? null)
    })
    const scrolling = [document.documentElement, document.body, ...document.querySelectorAll('.cb-log, .cb-composer')]
    return [...out, ...scrolling.filter((element) => element.scrollWidth > element.clientWidth)].map(
      (element) => element.className || element.tagName,
    )
  })

/** 0 is black, 1 is white. */
const lightness = (page: Page) =>
  page.locator('.chatbox').evaluate((element) => {
    const [red = 0, green = 0, blue = 0] = (getComputedStyle(element).backgroundColor.match(/[\d.]+/g) ?? []).map(
      Number,
    )
    return (red + green + blue) / 3 / 255
  })

describe.skipIf(!(await available('chromium')))('the looks of the page', { timeout: 60_000 }, () => {
  const pages = usePages()

  it('fit a screen of 360 pixels: nothing is cut off, and the conversations are in a drawer', async () => {
    const page = await pages.open(PHONE)
    expect(await wider(page)).toEqual([])
    await picture(page, 'phone-empty')
    await askAndWait(page, `Show me some code, and ${'break'.repeat(40)}`)
    expect(await wider(page)).toEqual([])
    await picture(page, 'phone-code')
    await askAndWait(page, 'And a table')
    expect(await wider(page)).toEqual([])
    await answer(page).locator('.cb-table').scrollIntoViewIfNeeded()
    await picture(page, 'phone-table')
    await askAndWait(page, 'Fail, please', 'failed')
    expect(await wider(page)).toEqual([])
    await picture(page, 'phone-failed')

    await newChat(page)
    await askAndWait(page, 'Hello')
    const sidebar = page.locator('.cb-sidebar')
    expect(await sidebar.isVisible()).toBe(false)
    await page.getByRole('button', { name: 'Conversations' }).tap()
    await sidebar.waitFor()
    await picture(page, 'phone-drawer')
    await listed(page).filter({ hasText: 'Show me some code' }).tap()
    await questions(page).getByText('And a table').waitFor()
    await sidebar.waitFor({ state: 'hidden' })

    await page.getByRole('button', { name: 'Conversations' }).tap()
    await sidebar.waitFor()
    await page.touchscreen.tap(350, 320)
    await sidebar.waitFor({ state: 'hidden' })
  })

  it('work in the hands of a phone: what is tapped is large enough, and writing does not zoom', async () => {
    const page = await pages.open(PHONE)
    await askAndWait(page, 'Hello')
    const small = await page.locator('button:visible, select:visible, textarea:visible').evaluateAll((elements) =>
      elements
        .map((element) => ({ name: element.ariaLabel ?? element.textContent, box: element.getBoundingClientRect() }))
        .filter(({ box }) => box.width < 24 || box.height < 24)
        .map(({ name }) => name),
    )
    expect(small).toEqual([])
    const size = await page
      .locator('.cb-input')
      .evaluate((input) => Number.parseFloat(getComputedStyle(input).fontSize))
    expect(size).toBeGreaterThanOrEqual(16)
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`are ${colorScheme} where the system is, until the user says otherwise`, async () => {
      const page = await pages.open({ colorScheme })
      const isLight = async () => (await lightness(page)) > 0.5
      expect(await isLight()).toBe(colorScheme === 'light')
      await picture(page, `${colorScheme}-empty`)
      await askAndWait(page, 'Which Markdown is there?')
      await page.getByRole('log').evaluate((log) => log.scrollTo(0, 0))
      await picture(page, `${colorScheme}-markdown`)
      await askAndWait(page, 'Fail, please', 'failed')
      await ask(page, 'Write something long, please')
      await answer(page, 'pending').locator('h4').first().waitFor()
      await picture(page, `${colorScheme}-streaming`)
      await stopButton(page).click()
      await answer(page, 'cancelled').waitFor()
      await picture(page, `${colorScheme}-stopped`)

      await page.getByRole('button', { name: /^Use (dark|light) colours$/ }).click()
      expect(await isLight()).toBe(colorScheme === 'dark')
      await page.reload()
      await connected(page)
      expect(await isLight()).toBe(colorScheme === 'dark')
    })
  }
})
