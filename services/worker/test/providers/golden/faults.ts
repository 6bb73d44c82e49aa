import { FAULTS } from '@chatbox/testkit/providers'
import { expect, it } from 'vitest'
import { listen, type Open, opened } from './opened.ts'

/** What goes wrong, and how it is told to those who decide what comes next. */
export function faults(open: Open): void {
  for (const { name, script, text, code, retryable, logged, untold } of FAULTS) {
    it(`makes of ${name} the code ${code}, worth another try: ${retryable}`, async () => {
      const { fake, provider, frames } = await opened(open)
      const played = script(frames)
      fake.next(played)
      const said = await listen(provider)
      expect({ text: said.text, ends: said.ends }).toEqual({ text, ends: [] })
      // Who says nothing leaves it to the caller, for whom it is a fault of the same kind.
      if (said.fault || !untold) expect(said.fault).toMatchObject({ code, retryable, retryAfterMs: undefined })
      if (logged !== undefined) expect(said.fault?.message).toContain(logged)
      expect(said.fault?.message.length ?? 0).toBeLessThan(600)
      // Whether there is another try is not the adapter's to decide.
      expect(fake.calls).toHaveLength(1)
      // Nobody waits for the rest of what cannot be read.
      if (played.steps?.some((step) => 'hang' in step)) {
        expect((await (await fake.call(0)).closed).byClient).toBe(true)
      }
    })
  }

  it.each([429, 503, 529])('tells how long a %i asks to wait, in seconds or by a date', async (status) => {
    const { fake, provider } = await opened(open)
    fake.next({ status, headers: { 'retry-after': '7' } })
    expect((await listen(provider)).fault).toMatchObject({ retryable: true, retryAfterMs: 7_000 })

    const at = new Date(Date.now() + 90_000).toUTCString()
    fake.next({ status, headers: { 'retry-after': at } })
    const { fault } = await listen(provider)
    expect(fault?.retryAfterMs).toBeLessThanOrEqual(90_000)
    expect(fault?.retryAfterMs).toBeGreaterThan(30_000)

    fake.next({ status, headers: { 'retry-after': 'soon' } })
    expect((await listen(provider)).fault).toMatchObject({ retryable: true, retryAfterMs: undefined })
  })

  it('tells of a connection that nobody takes', async () => {
    const { fake, provider } = await open()
    await fake.stop()
    expect(await listen(provider)).toMatchObject({ events: [], fault: { code: 'provider_error', retryable: true } })
  })
}
