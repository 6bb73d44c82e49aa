import type { PromptMessage } from '@chatbox/worker'
import { expect, it } from 'vitest'
import { type Differs, KEY, listen, type Open, opened, QUESTION } from './opened.ts'

const ROLES = ['user', 'assistant', 'user', 'agent', 'user', 'assistant'] as const

/** Thirty turns, the last of which is the question; every sixth of them was answered by a human. */
const HISTORY: readonly PromptMessage[] = [
  ...Array.from(
    { length: 29 * 2 },
    (_, i): PromptMessage => ({
      role: ROLES[i % ROLES.length] ?? 'user',
      text: `line ${i}: “${'é🙂'.repeat(i % 7)}”\nand more of it`,
    }),
  ),
  { role: 'user', text: 'And what now?' },
]

/** What arrives at the vendor. */
export function requests(open: Open, { without = [] }: Differs): void {
  it('asks once, with the key', async () => {
    const { fake, provider, heard } = await opened(open)
    await listen(provider)
    expect(fake.calls).toHaveLength(1)
    expect(heard(await fake.call(0))).toMatchObject({ key: KEY, messages: [{ role: 'user', text: 'Why is it so?' }] })
  })

  it('hands over a history of thirty turns in its order, each text under its role', async () => {
    const { fake, provider, heard } = await opened(open)
    const { fault } = await listen(provider, { ...QUESTION, messages: HISTORY })
    expect(fault).toBeUndefined()
    const { messages } = heard(await fake.call(0))
    expect(messages).toHaveLength(HISTORY.length)
    for (const [i, { role, text }] of HISTORY.entries()) {
      if (role !== 'agent') expect(messages[i]).toEqual({ role, text })
    }
  })

  it('tells the model that a human said what a human said', async () => {
    const { fake, provider, heard } = await opened(open)
    await listen(provider, { ...QUESTION, messages: HISTORY })
    const { messages } = heard(await fake.call(0))
    for (const [i, { role, text }] of HISTORY.entries()) {
      if (role !== 'agent') continue
      const message = messages[i]
      expect(message?.role).toBe('assistant')
      expect(message?.text).toContain(text)
      expect(message?.text.replace(text, '')).toMatch(/human/)
    }
  })

  it('hands over the system prompt, the most tokens, the temperature and the model', async () => {
    const { fake, provider, heard } = await opened(open)
    const settings = { model: 'another-model', system: 'Be “brief”.\nAlways.', maxTokens: 321, temperature: 0.25 }
    await listen(provider, { ...QUESTION, ...settings })
    const said = heard(await fake.call(0))
    for (const [name, value] of Object.entries(settings)) {
      if (!without.some((missing) => missing === name)) expect(said).toHaveProperty(name, value)
    }
  })

  it('says nothing of a temperature or a system prompt that was not set', async () => {
    const { fake, provider, heard } = await opened(open)
    await listen(provider)
    const { system, temperature } = heard(await fake.call(0))
    expect({ system, temperature }).toEqual({ system: undefined, temperature: undefined })
  })
}
