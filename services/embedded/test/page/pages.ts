import { fileURLToPath } from 'node:url'
import { chromiumLaunch } from '@chatbox/testkit/servers'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { cleanUp, type System, startSystem } from '../system.ts'

/** For people to look at; not part of the repository. */
const PICTURES = new URL('../../../../test-results/screenshots/', import.meta.url)

/** What a browser says of a server that can't be reached. */
export const AWAY = /ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED|WebSocket connection to/

export interface PageOptions {
  /** A path, with its fragment. */
  readonly at?: string
  /** Another address than the system's. */
  readonly url?: string
  /** A tab in this profile: tabs of one profile share what a browser shares between tabs. */
  readonly profile?: BrowserContext
}

export interface Pages {
  readonly system: System
  /** A browser profile that nobody has used before. */
  profile(options?: BrowserContextOptions): Promise<BrowserContext>
  /** A tab whose chat is connected; in a profile of its own unless told otherwise. */
  open(options?: PageOptions & BrowserContextOptions): Promise<Page>
  /** What the browser may complain about in this test, such as a server that is away on purpose. */
  allow(complaint: RegExp): void
}

/**
 * One program and one browser for a test file. Whatever a browser complains about (a policy that was broken, an error,
 * a dialog) fails the test in which it happens.
 */
export function usePages(): Pages {
  let browser: Browser | undefined
  let system: System | undefined
  const profiles: BrowserContext[] = []
  let complaints: string[] = []
  let allowed: RegExp[] = []

  beforeAll(async () => {
    ;[system, browser] = await Promise.all([
      startSystem(),
      chromiumLaunch().then((options) => chromium.launch(options)),
    ])
  })
  afterEach(async () => {
    for (const profile of profiles.splice(0)) await profile.close()
    const heard = complaints.filter((complaint) => !allowed.some((pattern) => pattern.test(complaint)))
    complaints = []
    allowed = []
    expect(heard, 'complaints of the browser').toEqual([])
  })
  afterAll(async () => {
    await browser?.close()
    await cleanUp()
  })

  const running = () => {
    if (!system || !browser) throw new Error('nothing has been started yet')
    return { system, browser }
  }
  const profile = async (options: BrowserContextOptions = {}) => {
    const context = await running().browser.newContext({
      viewport: { width: 1_200, height: 760 },
      permissions: ['clipboard-read', 'clipboard-write'],
      ...options,
    })
    context.setDefaultTimeout(30_000)
    profiles.push(context)
    context.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
    context.on('weberror', (error) => complaints.push(String(error.error())))
    context.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    return context
  }

  return {
    get system() {
      return running().system
    },
    profile,
    async open({ at = '', url = running().system.url, profile: given, ...options } = {}) {
      const page = await (given ?? (await profile(options))).newPage()
      await page.goto(new URL(at, url).href)
      await connected(page)
      return page
    },
    allow: (complaint) => void allowed.push(complaint),
  }
}

/** Which models there are is known once a connection stands. */
export const connected = (page: Page) => modelChoice(page).waitFor()

export const modelChoice = (page: Page) => page.getByRole('combobox', { name: 'Model' })
export const messageBox = (page: Page) => page.getByRole('textbox', { name: 'Message' })
export const stopButton = (page: Page) => page.getByRole('button', { name: 'Stop the answer' })
export const questions = (page: Page) => page.locator('.cb-message[data-author="user"]')
export const listed = (page: Page) => page.locator('.cb-session')
export const banner = (page: Page) => page.locator('.cb-banner')

type Status = 'pending' | 'done' | 'failed' | 'cancelled'

/** The last answer, if it is in this state. */
export const answer = (page: Page, status?: Status) =>
  page.locator(`.cb-answer:last-child${status ? `[data-status="${status}"]` : ''}`)
export const textOf = async (page: Page) => (await answer(page).locator('.cb-md').textContent()) ?? ''

export async function ask(page: Page, text: string): Promise<void> {
  await messageBox(page).fill(text)
  await messageBox(page).press('Enter')
}

export async function newChat(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'New chat' }).click()
  await page.locator('.cb-welcome').waitFor()
}

/** Asks, and waits until that is answered to the end. */
export async function askAndWait(page: Page, text: string, end: Status = 'done'): Promise<void> {
  const before = await page.locator('.cb-answer').count()
  await ask(page, text)
  await page.locator('.cb-answer').nth(before).and(answer(page, end)).waitFor()
}

/** The id of the conversation on the screen. */
export async function sidOf(page: Page): Promise<string> {
  await page.waitForFunction(() => location.hash.startsWith('#chat/'))
  return page.evaluate(() => location.hash.slice('#chat/'.length))
}

/** The last answer to the letter, as its copy button gives it. */
export async function copied(page: Page): Promise<string> {
  await page.bringToFront()
  await page.evaluate(() => navigator.clipboard.writeText('nothing was copied'))
  await answer(page).getByRole('button', { name: 'Copy the answer' }).click()
  await page.getByText('Answer copied.').waitFor({ state: 'attached' })
  return page.evaluate(() => navigator.clipboard.readText())
}

export async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, PICTURES)), animations: 'disabled' })
}
