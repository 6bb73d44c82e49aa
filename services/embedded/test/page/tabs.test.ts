import { available } from '@chatbox/testkit/servers'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { say } from '../system.ts'
import {
  answer,
  ask,
  askAndWait,
  banner,
  connected,
  copied,
  listed,
  modelChoice,
  picture,
  questions,
  sidOf,
  stopButton,
  usePages,
} from './pages.ts'

/** The device ids that a page says hello with. */
function devicesOf(page: Page): string[] {
  const devices: string[] = []
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => {
      const frame: unknown = JSON.parse(String(payload))
      if (typeof frame === 'object' && frame !== null && 'deviceId' in frame) devices.push(String(frame.deviceId))
    }),
  )
  return devices
}

describe.skipIf(!(await available('chromium')))('tabs', { timeout: 60_000 }, () => {
  const pages = usePages()

  it('are in step: messages, answers, stops, names and models appear in all of them', async () => {
    const profile = await pages.profile()
    const one = await pages.open({ profile })
    const two = await pages.open({ profile })
    await askAndWait(one, 'Hello to both tabs')
    await listed(two).filter({ hasText: 'Hello to both tabs' }).click()
    await answer(two, 'done').waitFor()
    expect(await sidOf(two)).toBe(await sidOf(one))

    await ask(two, 'Write something long, please')
    for (const page of [one, two]) await answer(page, 'pending').locator('h4').first().waitFor()
    expect(await questions(one).last().locator('.cb-plain').textContent()).toBe('Write something long, please')
    await stopButton(one).click()
    for (const page of [one, two]) await answer(page, 'cancelled').waitFor()
    expect(await copied(one)).toBe(await copied(two))

    await modelChoice(one).selectOption('Demo, quick')
    await expect.poll(() => modelChoice(two).inputValue()).toBe('demo-quick')

    const other = await pages.system.device('elsewhere')
    const { sid } = await say(other, 'Said on another device')
    await other.waitFor('session.updated', ({ session }) => session.id === sid && session.totalTokens > 0)
    const unread = '[data-unread]'
    for (const page of [one, two]) await listed(page).first().and(page.locator(unread)).waitFor()
    await picture(two, 'unread')
    // What is opened in one of them has been read in both.
    await listed(two).first().click()
    await answer(two, 'done').waitFor()
    await one.locator(unread).waitFor({ state: 'detached' })
    await other.close()
  })

  it('that are duplicated are devices of their own, and neither replaces the other', async () => {
    const profile = await pages.profile()
    await profile.addInitScript(() => {
      // The empty page that a tab of nobody's begins with has no storage.
      if (self.origin === 'null') return
      Object.assign(globalThis, { deviceAtFirst: sessionStorage.getItem('chatbox.device') })
    })
    const original = await pages.open({ profile })
    await askAndWait(original, 'Hello')
    const device = () => sessionStorage.getItem('chatbox.device')
    const kept = await original.evaluate(device)

    const opened = profile.waitForEvent('page')
    // A window that is opened so starts with a copy of the session storage, as a duplicated tab does.
    await original.evaluate(() => void window.open(location.href))
    const copy = await opened
    const said = devicesOf(copy)
    await connected(copy)
    await answer(copy, 'done').waitFor()
    expect(await copy.evaluate(() => (globalThis as { deviceAtFirst?: unknown }).deviceAtFirst)).toBe(kept)
    expect(await copy.evaluate(device)).not.toBe(kept)

    await askAndWait(copy, 'Hello from the copy')
    await questions(original).getByText('Hello from the copy').waitFor()
    await askAndWait(original, 'Hello from the original')
    await questions(copy).getByText('Hello from the original').waitFor()
    for (const page of [original, copy]) expect(await banner(page).isVisible()).toBe(false)
    expect(await original.evaluate(device)).toBe(kept)
    expect(new Set(said)).toEqual(new Set([await copy.evaluate(device)]))
    expect(said).toHaveLength(1)
  })

  it('keep their device over a reload', async () => {
    const page = await pages.open()
    const said = devicesOf(page)
    const before = await page.evaluate(() => sessionStorage.getItem('chatbox.device'))
    for (let times = 0; times < 3; times++) {
      await page.reload()
      await connected(page)
    }
    expect(said).toEqual([before, before, before])
  })
})
