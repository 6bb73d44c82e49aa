import { inspect } from 'node:util'
import type { Script } from '@chatbox/testkit/providers'
import { expect, it, vi } from 'vitest'
import { KEY, listen, type Open, type Opened, opened } from './opened.ts'

/** What the vendor says about an error: for the log, where the fault's message goes, and for nobody else. */
const CANARY = 'words-of-the-vendor-9b2e'
const TEXT = `${CANARY}: the key ${KEY} is not good, ${KEY}!`

/** An error in the words of each vendor at once. */
const body = JSON.stringify({
  type: 'error',
  error: { type: 'api_error', message: TEXT, code: null, param: null },
  code: 'internal',
  message: TEXT,
  status: 500,
})

const SCRIPTS: Record<string, (frames: Opened['frames']) => Script> = {
  'an error by its status': () => ({ status: 500, body }),
  'a refused key': () => ({ status: 401, body }),
  'an error that is no JSON': () => ({ status: 502, body: `<p>${TEXT}</p>`, headers: { 'content-type': 'text/html' } }),
  'a long error': () => ({ status: 503, body: `${TEXT} ${'and so on '.repeat(10_000)}${KEY}` }),
  'an error inside the stream': () => ({ steps: [{ say: 'So far' }, { error: TEXT }] }),
  'an overload inside the stream': () => ({ steps: [{ say: 'So far' }, { error: TEXT, overloaded: true }] }),
  'an event that is no JSON': ({ event }) => ({ steps: [{ raw: event(`${TEXT}"`) }] }),
  'an event of an unknown shape': ({ event }) => ({ steps: [{ raw: event(JSON.stringify([TEXT])) }] }),
  'HTML with status 200': () => ({ body: `<p>${TEXT}</p>`, headers: { 'content-type': 'text/html' } }),
  'a kind of content that tells too much': () => ({
    body: '{}',
    headers: { 'content-type': `text/html; of="${KEY}"` },
  }),
}

const TOLD = ['an error by its status', 'an error inside the stream', 'an overload inside the stream']

/** X4: what the vendor says reaches the log by the fault's message alone, and the key not even there. */
export function secrets(open: Open): void {
  for (const [what, script] of Object.entries(SCRIPTS)) {
    it(`gives nothing away by ${what}`, async () => {
      const written = captured()
      const { fake, provider, frames } = await opened(open)
      fake.next(script(frames))
      const { fault, events } = await listen(provider)
      expect(fault).toBeDefined()
      if (!fault) return
      if (TOLD.includes(what)) expect(fault.message).toContain(CANARY)
      expect(fault.message).not.toContain(KEY)
      expect(fault.message.length).toBeLessThan(600)

      const elsewhere = [
        inspect(fault, { depth: 20, showHidden: true, maxStringLength: 1_000_000 }).replaceAll(fault.message, ''),
        JSON.stringify(fault).replaceAll(JSON.stringify(fault.message), ''),
        JSON.stringify(events),
        ...written(),
      ].join('\n')
      expect(elsewhere).not.toContain(KEY)
      expect(elsewhere).not.toContain(CANARY)
    })
  }

  it('writes nothing of an answer anywhere', async () => {
    const written = captured()
    const { fake, provider } = await opened(open)
    fake.next({ steps: [{ say: CANARY }, { end: 'stop' }] })
    expect((await listen(provider)).text).toBe(CANARY)
    expect(written().join('\n')).not.toContain(CANARY)
  })
}

/** What is written to the console or its streams from here on. */
function captured(): () => string[] {
  const spies = [
    ...(['debug', 'error', 'info', 'log', 'warn'] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation(() => undefined),
    ),
    vi.spyOn(process.stdout, 'write').mockReturnValue(true),
    vi.spyOn(process.stderr, 'write').mockReturnValue(true),
  ]
  return () => spies.flatMap(({ mock }) => mock.calls.map((args) => inspect(args, { depth: 20 })))
}
