import { describe, expect, it } from 'vitest'
import { createMetrics, createStructures, createTimers } from '../../src/index.ts'
import { readableLogger } from '../support.ts'

const help = 'Frames that came in, by type.'

describe('metrics', () => {
  it('have the prefix, and are printed in the Prometheus format', async () => {
    const metrics = createMetrics()
    metrics.counter({ name: 'frames_total', help, labels: ['type'] }).inc({ type: 'ping' }, 2)
    metrics.gauge({ name: 'connections', help: 'Open connections of this process.' }).set(7)
    metrics.histogram({ name: 'answer_seconds', help: 'Time until an answer was done.', buckets: [1, 5] }).observe(3)
    const text = await metrics.text()
    expect(text).toContain('# HELP chatbox_frames_total Frames that came in, by type.')
    expect(text).toContain('chatbox_frames_total{type="ping"} 2')
    expect(text).toContain('chatbox_connections 7')
    expect(text).toContain('chatbox_answer_seconds_bucket{le="5"} 1')
    expect(metrics.contentType).toMatch(/^text\/plain/)
  })

  it('can be listed for the docs, those of the process included, each with help', () => {
    const metrics = createMetrics({ processMetrics: true })
    metrics.counter({ name: 'frames_total', help, labels: ['type'] })
    const list = metrics.list()
    expect(list).toContainEqual({ name: 'chatbox_frames_total', type: 'counter', help, labels: ['type'] })
    expect(list.length).toBeGreaterThan(20)
    expect(list.every((metric) => metric.name.startsWith('chatbox_') && metric.help.length > 5)).toBe(true)
    expect(list.find(({ name }) => name.endsWith('gc_duration_seconds'))).toMatchObject({
      type: 'histogram',
      labels: ['kind'],
    })
  })

  it('are shared by parts that define them alike', async () => {
    const metrics = createMetrics()
    metrics.counter({ name: 'frames_total', help }).inc()
    metrics.counter({ name: 'frames_total', help }).inc()
    expect(await metrics.text()).toContain('chatbox_frames_total 2')
  })

  it('of two processes in one test do not mix', async () => {
    const [one, other] = [createMetrics(), createMetrics()]
    one.counter({ name: 'frames_total', help }).inc(5)
    expect(await other.text()).not.toContain('frames_total')
  })

  it.each([
    ['without help', { name: 'frames_total', help: ' ' }],
    ['a counter without _total', { name: 'frames', help }],
    ['with the prefix written out', { name: 'chatbox_frames_total', help }],
    ['with capitals', { name: 'Frames_total', help }],
  ])('are refused: %s', (_, options) => expect(() => createMetrics().counter(options)).toThrow(TypeError))

  it('are refused when two definitions differ', () => {
    const metrics = createMetrics()
    metrics.counter({ name: 'frames_total', help })
    expect(() => metrics.counter({ name: 'frames_total', help: 'Something else altogether.' })).toThrow('defined twice')
    expect(() => metrics.counter({ name: 'frames_total', help, labels: ['type'] })).toThrow('defined twice')
    metrics.gauge({ name: 'waiting', help: 'Entries that wait.' })
    expect(() => metrics.gauge({ name: 'waiting', help: 'Entries that wait.', collect: () => undefined })).toThrow(
      'defined twice',
    )
  })

  it('ask gauges with a callback at each scrape', async () => {
    const metrics = createMetrics()
    let size = 1
    metrics.gauge({ name: 'queue_entries', help: 'Entries that wait.', collect: (gauge) => gauge.set(size) })
    expect(await metrics.text()).toContain('chatbox_queue_entries 1')
    size = 2
    expect(await metrics.text()).toContain('chatbox_queue_entries 2')
  })
})

describe('what is kept in memory', () => {
  it('is measured, cleaned up visibly, and warned about once per excess', async () => {
    const metrics = createMetrics()
    const log = readableLogger()
    const structures = createStructures({ metrics, logger: log.logger, timers: createTimers() })
    const cache = new Set([1, 2])
    const tracked = structures.track({ name: 'sessions', size: () => cache.size, warnAbove: 2 })
    expect(await metrics.text()).toContain('chatbox_structure_entries{structure="sessions"} 2')
    expect(await metrics.text()).toContain('chatbox_structure_released_total{structure="sessions"} 0')

    structures.check()
    expect(log.messages()).toEqual([])
    cache.add(3)
    structures.check()
    structures.check()
    expect(log.lines()).toMatchObject([{ level: 'warn', structure: 'sessions', entries: 3, warnAbove: 2 }])
    cache.clear()
    tracked.released(3)
    structures.check()
    for (const entry of [1, 2, 3]) cache.add(entry)
    structures.check()
    expect(log.lines()).toHaveLength(2)
    expect(await metrics.text()).toContain('chatbox_structure_released_total{structure="sessions"} 3')

    tracked.untrack()
    expect(await metrics.text()).not.toContain('chatbox_structure_entries{structure="sessions"}')
    await structures.stop()
  })

  it('is compared with its threshold on an interval', async () => {
    const log = readableLogger()
    const warned = new Promise<void>((resolve) => {
      const logger = { ...log.logger, warn: () => resolve() }
      const structures = createStructures({ metrics: createMetrics(), logger, timers: createTimers(0.001) })
      structures.track({ name: 'sessions', size: () => 9, warnAbove: 2 })
    })
    await warned
  })

  it('cannot be tracked twice under one name', () => {
    const structures = createStructures({
      metrics: createMetrics(),
      logger: readableLogger().logger,
      timers: createTimers(),
    })
    const structure = { name: 'sessions', size: () => 0, warnAbove: 1 }
    structures.track(structure)
    expect(() => structures.track({ ...structure })).toThrow('tracked twice')
  })
})
