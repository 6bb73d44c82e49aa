import { createMetrics, type ModelSpec } from '@chatbox/runtime'
import { startFake, VENDORS } from '@chatbox/testkit/providers'
import { createModels, workerMetrics } from '@chatbox/worker'
import { expect, it, onTestFinished } from 'vitest'
import { KEY, QUESTION } from './golden/opened.ts'

const { frames, path } = VENDORS.dify

it('a configured model of Dify says in the log that its run could not be stopped, and no key', async () => {
  const begun = frames.event(JSON.stringify({ event: 'message', task_id: 'a-task', answer: 'So far' }))
  const fake = await startFake({
    asks: (request) => request.path.endsWith('/chat-messages'),
    stream: () => ({ contentType: 'text/event-stream', begin: () => begun, write: () => '' }),
    errorBody: () => '{}',
    other: () => ({ status: 500, body: JSON.stringify({ message: `not with ${KEY}` }) }),
  })
  onTestFinished(() => fake.stop())
  fake.next({ steps: [{ hang: true }] })

  let said: (line: unknown[]) => void = () => undefined
  const line = new Promise<unknown[]>((resolve) => {
    said = resolve
  })
  const spec: ModelSpec = {
    ...{ id: 'a', label: 'A', provider: 'dify', contextTokens: 1_000 },
    ...{ baseUrl: `${fake.url}${path}`, apiKey: KEY },
  }
  const metrics = workerMetrics(createMetrics())
  const models = await createModels([spec], { metrics, log: { warn: (...words: unknown[]) => said(words) } })
  onTestFinished(() => models.close())

  const stopping = new AbortController()
  const events = models.byId.get('a')?.provider.stream(QUESTION, stopping.signal)[Symbol.asyncIterator]()
  expect((await events?.next())?.value).toEqual({ type: 'text', text: 'So far' })
  stopping.abort()
  expect(await line).toEqual([{ status: 500 }, 'a run of Dify could not be stopped'])
})
