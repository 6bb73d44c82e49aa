import { available, chromiumLaunch } from '@chatbox/testkit/servers'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Tools } from '../harness/harness.ts'
import { startHarness } from '../harness/server.mjs'
import { hostile } from '../markdown/hostile.ts'

let browser: Browser
let harness: Awaited<ReturnType<typeof startHarness>>
const opened: Page[] = []

interface Opened {
  readonly page: Page
  /** Everything that was asked of a network. */
  readonly requests: string[]
  /** What the browser complained about, policies included. */
  readonly complaints: string[]
}

async function open(path = '', options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1_100, height: 700 }, ...options })
  const page = await context.newPage()
  opened.push(page)
  const requests: string[] = []
  const complaints: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  page.on('console', (message) => message.type() !== 'log' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  await context.route(
    (url) => !url.href.startsWith(harness.url),
    (route) => route.abort(),
  )
  await page.goto(harness.url + path)
  await page.waitForSelector('.cb-input')
  return { page, requests, complaints }
}

/** As patient as an answer is slow. */
const soon = { timeout: 10_000 }

const log = (page: Page) => page.locator('.cb-log')
const fromEnd = (page: Page) => log(page).evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight)
const focused = (page: Page) => page.evaluate(() => document.activeElement?.className)
const twoFrames = (page: Page) =>
  page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))

describe.skipIf(!(await available('chromium')))('the chat in a real browser', () => {
  beforeAll(async () => {
    harness = await startHarness(0)
    browser = await chromium.launch(await chromiumLaunch())
  })
  afterEach(async () => {
    for (const page of opened.splice(0)) await page.context().close()
  })
  afterAll(async () => {
    await browser?.close()
    harness?.close()
  })

  it('asks nothing of any network for what a model says, at every prefix, even without a policy', async () => {
    const { page, requests, complaints } = await open('?free')
    await page.waitForLoadState('networkidle')
    const before = requests.length
    await page.evaluate((texts) => {
      const { createMarkdownView } = globalThis as unknown as Tools
      for (const text of texts) {
        const element = document.body.appendChild(document.createElement('div'))
        const view = createMarkdownView(element)
        for (let end = 0; end <= text.length; end++) view.update(text.slice(0, end))
        for (const link of element.querySelectorAll('a'))
          link.dispatchEvent(new MouseEvent('mouseover', { bubbles: true }))
      }
    }, hostile)
    expect(complaints).toEqual([])

    // Were anything asked for, it would show before this.
    await page.evaluate(() => {
      document.body.appendChild(document.createElement('img')).src = 'https://evil.example/control.png'
    })
    await expect.poll(() => requests.slice(before), soon).toEqual(['https://evil.example/control.png'])
  })

  it('works under a policy that forbids everything it does not need', async () => {
    const { page, complaints } = await open()
    await page.keyboard.type('Show me some code')
    await page.keyboard.press('Enter')
    await page.locator('.cb-code').waitFor()
    await page.getByRole('button', { name: 'Stop the answer' }).click()
    await page.locator('.cb-stopped').waitFor()
    await page.getByRole('button', { name: 'Use dark colours' }).click()
    await page.getByRole('button', { name: 'Refund for order' }).click()
    await page.getByText('Support joined').waitFor()
    expect(complaints).toEqual([])
  })

  it('can be used by keyboard alone, and shows where the focus is', async () => {
    const { page } = await open()
    await page.locator('body').evaluate(() => (document.activeElement as HTMLElement).blur())
    await page.keyboard.press('Tab')
    while ((await focused(page)) !== 'cb-skip') await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    expect(await focused(page)).toBe('cb-input')

    await page.keyboard.type('first line')
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.type('second line')
    await page.keyboard.press('Enter')
    await page.locator('[data-status="pending"]').waitFor()
    await page.keyboard.press('Escape')
    await page.locator('[data-status="cancelled"]').waitFor()
    expect(await page.locator('.cb-plain').textContent()).toBe('first line\nsecond line')

    while ((await focused(page)) !== 'cb-session') await page.keyboard.press('Shift+Tab')
    const outline = () => page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle)
    expect(await outline()).toBe('solid')
    await page.keyboard.press('ArrowUp')
    const name = await page.evaluate(() => document.activeElement?.querySelector('.cb-session-name')?.textContent)
    await page.keyboard.press('Enter')
    await expect.poll(() => page.locator('.cb-conversation').textContent(), soon).toBe(name)
  })

  it('follows an answer only while its end is in sight', async () => {
    const { page } = await open()
    await page.keyboard.type('long')
    await page.keyboard.press('Enter')
    await expect.poll(() => log(page).evaluate((box) => box.scrollTop), soon).toBeGreaterThan(400)
    await expect.poll(() => fromEnd(page), soon).toBeLessThan(2)

    await log(page).hover()
    await page.mouse.wheel(0, -250)
    await page.locator('.cb-jump').waitFor()
    const place = await log(page).evaluate((box) => box.scrollTop)
    const distance = await fromEnd(page)
    await expect.poll(() => fromEnd(page), soon).toBeGreaterThan(distance + 100)
    expect(await log(page).evaluate((box) => box.scrollTop)).toBe(place)

    await page.locator('.cb-jump').click()
    await expect.poll(() => fromEnd(page), soon).toBeLessThan(2)
    await page.locator('.cb-jump').waitFor({ state: 'hidden' })

    // A message box that grows takes room from the log, and that is no reason to stop following.
    await page.locator('.cb-input').fill('a\n'.repeat(12))
    await twoFrames(page)
    await expect.poll(() => fromEnd(page), soon).toBeLessThan(2)
  })

  it('keeps in place what is read while older messages come in above', async () => {
    const { page } = await open('#chat/s2')
    await page.getByText('Answer 150').waitFor()
    expect(await fromEnd(page)).toBeLessThan(2)
    const landmark = page.getByText('Question 101', { exact: true })
    const before = await log(page).evaluate((box) => {
      box.scrollTop = 300
      const message = [...box.querySelectorAll('.cb-plain')].find((each) => each.textContent === 'Question 101')
      return message?.getBoundingClientRect().top
    })
    await page.getByText('Question 51', { exact: true }).waitFor({ state: 'attached' })
    await twoFrames(page)
    const after = await landmark.evaluate((message) => message.getBoundingClientRect().top)
    expect(Math.abs(after - (before ?? 0))).toBeLessThan(2)
  })

  it('fits a phone: nothing is wider, and the list is a drawer that takes and gives back the focus', async () => {
    const { page } = await open('#chat/s0', { viewport: { width: 360, height: 640 } })
    await page.getByText('And the fox?').waitFor()
    await page.locator('.cb-input').fill('w'.repeat(400))
    await page.keyboard.press('Enter')
    await page.locator('[data-status="pending"]').waitFor()
    const widths = await page.evaluate(() =>
      [document.documentElement, ...document.querySelectorAll('.cb-log, .cb-composer')].map((each) => each.scrollWidth),
    )
    expect(Math.max(...widths)).toBe(360)

    const sidebar = page.locator('.cb-sidebar')
    expect(await sidebar.isVisible()).toBe(false)
    await page.getByRole('button', { name: 'Conversations' }).click()
    await sidebar.waitFor()
    expect(await page.evaluate(() => document.activeElement?.closest('.cb-sidebar') !== null)).toBe(true)
    expect(await page.locator('.cb-main').evaluate((main) => (main as HTMLElement).inert)).toBe(true)
    await page.keyboard.press('Escape')
    expect(await page.locator('[data-status="pending"]').count()).toBe(1)
    await expect.poll(() => sidebar.isVisible(), soon).toBe(false)
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Conversations')
  })

  it('keeps a selection in an answer that is still being written', async () => {
    const { page } = await open()
    await page.keyboard.type('tour')
    await page.keyboard.press('Enter')
    await page.locator('.cb-md ol li').first().waitFor()
    await page.locator('.cb-md p').first().click({ clickCount: 3 })
    const selected = await page.evaluate(() => getSelection()?.toString())
    expect(selected).toContain('Here is a short tour')
    await page.locator('.cb-table').waitFor()
    expect(await page.evaluate(() => getSelection()?.toString())).toBe(selected)
  })
})
