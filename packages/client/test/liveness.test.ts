import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { watchLiveness } from '../src/liveness.ts'
import { barrier, connected, observed, server } from './helpers/client.ts'

describe('a dead connection', () => {
  test('is noticed by its silence, and another one is made', async () => {
    const { server, peer, until } = await connected({ silenceMs: 90 })
    peer.mute()
    await peer.next('ping')
    await until('state', (state) => state.kind === 'waiting')
    await peer.closed
    await (await server.peer()).welcome({ connectionId: 'c2' })
    await until('ready', (ready) => ready.connectionId === 'c2')
  })

  test('is not one that answers pings', async () => {
    const { server, chat, peer } = await connected({ silenceMs: 90 })
    for (let ping = 0; ping < 5; ping++) await peer.next('ping')
    expect(chat.state.kind).toBe('open')
    expect(server.connections).toBe(1)
  })

  test('is asked for more often when the server wishes so', async () => {
    const started = await server()
    const { chat, until } = observed(started)
    chat.connect()
    const peer = await started.peer()
    await peer.welcome({ pingMs: 30 })
    await until('ready')
    await peer.next('ping')
  })
})

describe('after a sleep', () => {
  const sleep = (ms: number) => {
    const { now } = Date
    const from = Date.now()
    vi.spyOn(Date, 'now').mockImplementation(() => now() + ms)
    return from
  }

  test('a connection that answers is kept, however long it was silent', async () => {
    const { server, chat, peer, until } = await connected()
    sleep(3_600_000)
    await peer.next('ping')
    peer.send({ type: 'notice', code: 'shutdown', message: 'soon' })
    await until('notice')
    await barrier(chat, peer)
    expect(chat.state.kind).toBe('open')
    expect(server.connections).toBe(1)
  })

  test('one that does not is left within the time of a probe, not of a silence', async () => {
    const { server, peer, until } = await connected({ silenceMs: 45_000 })
    peer.mute()
    sleep(3_600_000)
    await until('state', (state) => state.kind === 'waiting')
    await (await server.peer()).welcome({ connectionId: 'c2' })
    await until('ready', (ready) => ready.connectionId === 'c2')
  })
})

test('timers that are always late, as those of a hidden page, do not keep a dead connection alive', () => {
  vi.useFakeTimers()
  const ping = vi.fn()
  const dead = vi.fn()
  const liveness = watchLiveness({ quietMs: 15_000, silenceMs: 45_000, probeMs: 5_000, ping, dead })
  const lateTick = () => {
    vi.setSystemTime(Date.now() + 60_000)
    vi.advanceTimersToNextTimer()
  }
  lateTick()
  expect(ping).toHaveBeenCalledTimes(1)
  expect(dead).not.toHaveBeenCalled()
  liveness.heard()
  lateTick()
  expect(dead).not.toHaveBeenCalled()
  lateTick()
  expect(dead).toHaveBeenCalledTimes(1)
  liveness.stop()
  vi.useRealTimers()
})

/** The little of a page that hints come from. */
function page() {
  onTestFinished(() => {
    vi.unstubAllGlobals()
  })
  const target = new EventTarget()
  const document = Object.assign(new EventTarget(), { visibilityState: 'hidden' })
  vi.stubGlobal('document', document)
  let listening = 0
  const counted = (on: EventTarget) => ({
    add: (...entry: Parameters<EventTarget['addEventListener']>) => {
      listening++
      EventTarget.prototype.addEventListener.apply(on, entry)
    },
    remove: (...entry: Parameters<EventTarget['removeEventListener']>) => {
      listening--
      EventTarget.prototype.removeEventListener.apply(on, entry)
    },
  })
  const onPage = counted(target)
  const onDocument = counted(document)
  Object.assign(document, { addEventListener: onDocument.add, removeEventListener: onDocument.remove })
  vi.stubGlobal('addEventListener', onPage.add)
  vi.stubGlobal('removeEventListener', onPage.remove)
  return {
    listening: () => listening,
    offline: () => target.dispatchEvent(new Event('offline')),
    online: () => target.dispatchEvent(new Event('online')),
    visible(visibilityState: 'visible' | 'hidden') {
      document.visibilityState = visibilityState
      document.dispatchEvent(new Event('visibilitychange'))
    },
  }
}

const long = { backoffBaseMs: 60_000, backoffCapMs: 60_000 }

describe('hints of the browser', () => {
  test('online: a long wait is cut short, by a random delay', async () => {
    const { online } = page()
    const random = vi.fn(() => 0.5)
    const { server, peer, until, delays, heard } = await connected({ random, tuning: long })
    peer.terminate()
    await until('state', (state) => state.kind === 'waiting')
    random.mockReturnValue(0.25)
    online()
    expect(heard.state.at(-1)).toMatchObject({ kind: 'waiting' })
    expect(delays[1]).toBeLessThanOrEqual(15_000)
    // A later hint never makes it wait longer.
    random.mockReturnValue(0.9)
    online()
    expect(delays).toHaveLength(2)
    random.mockReturnValue(0)
    online()
    await (await server.peer()).welcome({ connectionId: 'c2' })
    await until('ready', (ready) => ready.connectionId === 'c2')
  })

  test('visible: likewise, hidden: nothing', async () => {
    const { visible } = page()
    const random = vi.fn(() => 0.5)
    const { server, peer, until, delays } = await connected({ random, tuning: long })
    peer.terminate()
    await until('state', (state) => state.kind === 'waiting')
    random.mockReturnValue(0)
    visible('hidden')
    expect(delays).toHaveLength(1)
    visible('visible')
    await server.peer()
  })

  test('a time that the server gave is not cut short', async () => {
    const { online, visible } = page()
    const { peer, until, delays } = await connected({ random: () => 0 })
    peer.send({ type: 'reconnect', afterMs: 60_000, reason: 'restart' })
    peer.close(1012)
    await until('state', (state) => state.kind === 'waiting')
    online()
    visible('visible')
    expect(delays).toHaveLength(1)
  })

  test('with a connection they ask whether it still lives', async () => {
    const { online } = page()
    const { peer, until } = await connected()
    peer.mute()
    online()
    await peer.next('ping')
    await until('state', (state) => state.kind === 'waiting')
  })

  test('offline: the state tells at once, and online brings the connection back', async () => {
    const { offline, online } = page()
    const random = vi.fn(() => 0.5)
    const { chat, server, peer, until } = await connected({ random, tuning: long })
    offline()
    expect(chat.state.kind).toBe('waiting')
    await peer.closed
    random.mockReturnValue(0)
    online()
    await (await server.peer()).welcome({ connectionId: 'c2' })
    await until('ready', (ready) => ready.connectionId === 'c2')
  })

  test('offline: a wait that is under way is not begun anew', async () => {
    const { offline } = page()
    const { peer, until, delays } = await connected({ tuning: long })
    peer.terminate()
    await until('state', (state) => state.kind === 'waiting')
    offline()
    expect(delays).toHaveLength(1)
  })

  test('after close nobody listens', async () => {
    const { listening } = page()
    const { chat } = await connected()
    expect(listening()).toBe(4)
    chat.close()
    expect(listening()).toBe(0)
  })
})
