import type { MessagePage, ServerFrame, SessionPage } from '@chatbox/protocol'
import { available } from '@chatbox/testkit/servers'
import { textMark } from '@chatbox/testkit/wire'
import type { Page, Route } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { answer, ask, askAndWait, connected, copied, listed, picture, questions, sidOf, usePages } from './pages.ts'

/** Texts that try to load, to run or to pretend something. */
const HOSTILE = [
  '<script>alert(1)</script><img src=x onerror=alert(2)>',
  '<svg onload=alert(3)><image href="https://evil.example/svg.png"/></svg>',
  '<iframe srcdoc="<script>alert(4)</script>"></iframe><object data=/o></object>',
  '<style>@import url(https://evil.example/x.css)</style><link rel=stylesheet href=//evil.example/l>',
  '<a href="javascript:alert(5)" onmouseover=alert(6)>x</a><base href=//evil.example>',
  '![pixel](https://evil.example/pixel.png) ![own](/own.png "t")',
  '[![inner](//evil.example/inner.png)](javascript:alert(7))',
  '[a](javascript:alert(8)) [b](JaVaScRiPt&colon;alert(9)) [c](data:text/html,<script>alert(10)</script>)',
  '<https://evil.example/auto> https://evil.example/bare www.evil.example [d](vbscript:x) [e](blob:x)',
  '<meta http-equiv=refresh content="0;url=https://evil.example"><form action=/f><button>x</button></form>',
] as const

/** The same as one answer, with what needs lines of its own. */
const ANSWER = [
  ...HOSTILE,
  '```html" onload="alert(11)\n<img src=/fence.png>\n```',
  '| a | b |\n|:--|--:|\n| <img src=/cell.png> | ![p](https://evil.example/p.png) |',
  '![ref][pixel]\n\n[pixel]: https://evil.example/reference.png',
  '<div\n onclick="alert(12)"\n>\n\n# <img src=/heading.png>\n\n</div>',
  '{{constructor.constructor("alert(13)")()}} \u202egnp.exe',
].join('\n\n')

const OWN =
  /^(GET|POST) \/(|page\.js|page\.css|icon\.svg|chat\/demo\/token|chat\/sessions(\/[\w-]+(\/messages)?)?(\?.*)?)$/

/** All that the page asks of the network but its own parts. */
async function watchRequests(page: Page): Promise<string[]> {
  const own = new URL(page.url()).origin
  const strange: string[] = []
  await page.context().route('**/*', async (route) => {
    const request = route.request()
    const url = new URL(request.url())
    const isOwn = url.origin === own && OWN.test(`${request.method()} ${url.pathname}${url.search}`)
    if (!isOwn) strange.push(request.url())
    await (isOwn ? route.fallback() : route.abort())
  })
  return strange
}

/** Were anything asked for by what is on the page, it would have been asked for before this. */
async function expectNothingStrange(page: Page, strange: string[]): Promise<void> {
  const anything = page.locator('.cb-md :is(a, button, p, td, code), .cb-plain, .cb-session')
  await anything.evaluateAll((elements) => {
    for (const element of elements) {
      for (const type of ['mouseover', 'focusin', 'pointerdown']) {
        element.dispatchEvent(new PointerEvent(type, { bubbles: true }))
      }
    }
  })
  await page.evaluate(() => {
    document.body.appendChild(document.createElement('img')).src = '/control.png'
  })
  await expect.poll(() => strange).toEqual([new URL('/control.png', page.url()).href])
}

/** No element that could act, and no link but those to ordinary places that say where they lead. */
async function expectHarmless(page: Page): Promise<void> {
  const log = page.getByRole('log')
  const acting = 'script, img, image, iframe, object, embed, link, style, base, meta, form, input, video, audio'
  expect(await log.locator(acting).count()).toBe(0)
  expect(await log.locator('.cb-md svg, [onclick], [onload], [onerror], [onmouseover], [style]').count()).toBe(0)
  for (const link of await log.locator('a').all()) {
    expect(await link.getAttribute('href')).toMatch(/^https?:\/\/(www\.)?evil\.example/)
    expect(await link.getAttribute('rel')).toBe('noopener noreferrer nofollow')
    expect(await link.getAttribute('target')).toBe('_blank')
  }
}

// The policy would stop most of this by itself, and then nothing would be known about the page.
const WITHOUT_POLICY = { bypassCSP: true }
const AWAY = /Failed to load resource/

describe.skipIf(!(await available('chromium')))('hostile text', { timeout: 60_000 }, () => {
  const pages = usePages()

  it('loads and runs nothing as a question, as a name, and in an answer that repeats it', async () => {
    pages.allow(AWAY)
    const page = await pages.open(WITHOUT_POLICY)
    const strange = await watchRequests(page)
    await page.getByRole('combobox', { name: 'Model' }).selectOption('Demo, quick')
    for (const text of HOSTILE) await ask(page, text)
    await page
      .locator('.cb-answer')
      .nth(HOSTILE.length - 1)
      .and(answer(page, 'done'))
      .waitFor()
    // The demo model quotes what was said before.
    await askAndWait(page, 'What did I say?')

    const quoted = await copied(page)
    for (const text of HOSTILE) expect(quoted).toContain(text)
    expect(await questions(page).locator('.cb-plain').allTextContents()).toEqual([...HOSTILE, 'What did I say?'])
    expect(await listed(page).first().locator('.cb-session-name').textContent()).toContain('<script>alert(1)</script>')
    await picture(page, 'hostile')
    await expectHarmless(page)
    await expectNothingStrange(page, strange)
  })

  it('loads and runs nothing while it streams in, however it is cut', async () => {
    pages.allow(AWAY)
    const profile = await pages.profile(WITHOUT_POLICY)
    const page = await profile.newPage()
    await forgeAnswers(page, ANSWER)
    await page.goto(pages.system.url)
    await connected(page)
    const strange = await watchRequests(page)
    await askAndWait(page, 'Hello')
    expect(await copied(page)).toBe(ANSWER)
    await answer(page).locator('.cb-table').waitFor()
    await picture(page, 'hostile-answer')
    await expectHarmless(page)
    await expectNothingStrange(page, strange)
  })

  it('loads and runs nothing when it comes from the history', async () => {
    pages.allow(AWAY)
    const page = await pages.open(WITHOUT_POLICY)
    await askAndWait(page, 'Hello')
    const sid = await sidOf(page)
    const strange = await watchRequests(page)
    const forge = async <T>(route: Route, change: (body: T) => void) => {
      const response = await route.fetch()
      const body = (await response.json()) as T
      change(body)
      await route.fulfill({ response, json: body })
    }
    await page.route(`**/chat/sessions/${sid}/messages*`, (route) =>
      forge<MessagePage>(route, ({ messages }) => {
        for (const message of messages) Object.assign(message, { text: ANSWER })
      }),
    )
    await page.route('**/chat/sessions?*', (route) =>
      forge<SessionPage>(route, ({ sessions }) => {
        for (const session of sessions) Object.assign(session, { name: HOSTILE.join(' ') })
      }),
    )
    await page.reload()
    await answer(page, 'done').locator('.cb-table').waitFor()
    await listed(page).first().getByText('evil.example').waitFor()
    expect(await copied(page)).toBe(ANSWER)
    expect(await questions(page).locator('.cb-plain').textContent()).toBe(ANSWER)
    await expectHarmless(page)
    await expectNothingStrange(page, strange)
  })

  it('would not get past the policy of the page either', async () => {
    pages.allow(/Content Security Policy|Trusted/)
    const page = await pages.open()
    const strange = await watchRequests(page)
    await page.evaluate(() => {
      const attempt = (action: () => void) => {
        try {
          action()
        } catch (error) {
          console.error(String(error))
        }
      }
      attempt(() => {
        document.body.innerHTML = '<img src=/x.png onerror=alert(1)>'
      })
      attempt(() => {
        document.body.appendChild(document.createElement('img')).src = 'https://evil.example/x.png'
      })
      attempt(() => {
        document.body.appendChild(document.createElement('iframe')).src = 'https://evil.example/'
      })
      attempt(() => document.body.setAttribute('onclick', 'alert(1)'))
    })
    await expect(page.evaluate(() => fetch('https://evil.example/'))).rejects.toThrow('Failed to fetch')
    await page.locator('body').click({ position: { x: 600, y: 100 } })
    expect(strange).toEqual([])
  })
})

/** Puts `text` in the place of what the server says in an answer, a few characters in each piece. */
async function forgeAnswers(page: Page, text: string): Promise<void> {
  await page.routeWebSocket('**/chat/ws', (socket) => {
    const server = socket.connectToServer()
    let index = 0
    let said = 0
    server.onMessage((data) => {
      const frame = JSON.parse(String(data)) as ServerFrame
      const piece = (end: number) => {
        const next = text.slice(said, end)
        said = end
        return next
      }
      if (frame.type === 'answer.delta')
        socket.send(JSON.stringify({ ...frame, index: index++, text: piece(said + 7) }))
      else if (frame.type === 'answer.done') {
        const { sid, seq, answerId, attempt } = frame
        while (said < text.length) {
          const delta = { type: 'answer.delta', sid, seq, answerId, attempt, index: index++, text: piece(said + 7) }
          socket.send(JSON.stringify(delta))
        }
        socket.send(JSON.stringify({ ...frame, ...textMark(text) }))
      } else socket.send(data)
    })
  })
}
