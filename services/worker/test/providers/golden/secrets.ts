import { inspect } from 'node:util'
import { secretCases } from '@chatbox/testkit/providers'
import { expect, it, vi } from 'vitest'
import { KEY, listen, type Open, opened } from './opened.ts'

/** What the vendor says about an error: for the log, where the fault's message goes, and for nobody else. */
const CANARY = 'words-of-the-vendor-9b2e'

/** X4: what the vendor says reaches the log by the fault's message alone, and the key not even there. */
export function secrets(open: Open): void {
  for (const { name, script, logged, code, retryable } of secretCases({ key: KEY, words: CANARY })) {
    it(`gives nothing away by ${name}`, async () => {
      const written = captured()
      const { fake, provider, frames } = await opened(open)
      fake.next(script(frames))
      const { fault, events } = await listen(provider)
      expect(fault).toMatchObject({ code, retryable })
      if (!fault) return
      if (logged) expect(fault.message).toContain(CANARY)
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
