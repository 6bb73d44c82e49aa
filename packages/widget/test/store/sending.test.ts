import { describe, expect, it } from 'vitest'
import { outgoingOf } from '../../src/store/model.ts'
import { question } from '../fake-chat.ts'
import { fakeKeep, settled, setUp } from './set-up.ts'

describe('a message on its way', () => {
  it('stays, with the reason, when it is refused, and can be sent again or discarded', async () => {
    const { chat, store } = setUp()
    chat.welcome()
    store.send('hello')
    chat.sent[0]?.refuse({ code: 'rate_limited', message: 'That was too fast.', retryable: true })
    await settled()
    const [failed] = outgoingOf(store.get())
    expect(failed?.failure).toMatchObject({ code: 'rate_limited', message: 'That was too fast.' })
    store.retry(failed?.clientMessageId ?? '')
    expect(outgoingOf(store.get())[0]?.failure).toBeUndefined()
    expect(chat.sent[1]?.message).toMatchObject({ text: 'hello', clientMessageId: failed?.clientMessageId })
    store.discard(failed?.clientMessageId ?? '')
    await settled()
    expect(outgoingOf(store.get())).toEqual([])
    expect(chat.sent[1]?.abandoned).toBe(true)
  })

  it('never shows what an unknown error says', async () => {
    const { chat, store } = setUp()
    chat.welcome()
    store.send('hello')
    chat.sent[0]?.refuse(new Error('secret detail'))
    await settled()
    expect(JSON.stringify(store.get().outbox)).not.toContain('secret')
  })

  it('is sent again after a reload of the page, with the same id', () => {
    const first = setUp()
    first.chat.welcome()
    first.store.send('hello')
    const second = setUp(undefined, first.keep)
    expect(second.chat.sent).toEqual([])
    second.chat.welcome()
    expect(second.chat.sent[0]?.message).toEqual(first.chat.sent[0]?.message)
    expect(outgoingOf(second.store.get()).map(({ text }) => text)).toEqual(['hello'])
  })

  it('is not sent in the name of somebody else who signs in later, nor are drafts shown', () => {
    const first = setUp()
    first.chat.welcome('ann')
    first.store.send('hello from ann')
    first.keep.write('draft.new', 'a draft of ann')
    const second = setUp(undefined, first.keep)
    second.chat.welcome('bob')
    expect(second.chat.sent).toEqual([])
    expect([...second.keep.all]).toEqual([['owner', 'bob']])
  })

  it('is kept when it was written before the server said who this is', () => {
    const first = setUp()
    first.chat.welcome()
    first.store.send('old')
    const second = setUp(undefined, first.keep)
    second.store.send('new')
    second.chat.welcome()
    expect(second.store.get().outbox.map(({ text }) => text)).toEqual(['old', 'new'])
  })

  it('survives nonsense in the storage', () => {
    const keep = fakeKeep()
    for (const nonsense of [
      '',
      '{',
      '{}',
      '[1,null,{"clientMessageId":1}]',
      '[{"clientMessageId":"a","text":"b","sid":3}]',
    ]) {
      keep.write('outbox', nonsense)
      const { chat, store } = setUp(undefined, keep)
      chat.welcome()
      expect(store.get().outbox).toEqual([])
    }
  })
})

describe('another answer', () => {
  it('is asked for in the place of the one before', () => {
    const { chat, store } = setUp()
    chat.welcome()
    store.again(question('s', 1, { text: 'why?' }))
    expect(chat.calls).toContainEqual(['regenerate', 's', 1])
    expect(chat.sent).toEqual([])
  })
})
