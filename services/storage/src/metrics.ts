import type { Metrics } from '@chatbox/runtime'

export type StorageMetrics = ReturnType<typeof storageMetrics>

export const storageMetrics = (metrics: Metrics) => ({
  entries: metrics.counter({
    name: 'storage_entries_total',
    help: 'Entries of the ingest log that were worked on, by kind; repetitions count again.',
    labels: ['kind'],
  }),
  refused: metrics.counter({
    name: 'storage_refused_total',
    help: 'Requests that were refused, by kind and error code.',
    labels: ['kind', 'code'],
  }),
  buried: metrics.counter({
    name: 'storage_dead_letters_total',
    help: 'Entries that could not be worked on and were put aside, by kind.',
    labels: ['kind'],
  }),
  retries: metrics.counter({
    name: 'storage_retries_total',
    help: 'Calls to a store that were repeated because it was away, by what was wanted.',
    labels: ['what'],
  }),
  swept: metrics.counter({
    name: 'storage_swept_total',
    help: 'Unfinished answers that the sweeper acted on, by what it did.',
    labels: ['verdict'],
  }),
  erased: metrics.counter({
    name: 'storage_erased_sessions_total',
    help: 'Sessions that were erased, by who did it: the user, retention, or the sweeper, which goes on with what broke off.',
    labels: ['by'],
  }),
  requests: metrics.histogram({
    name: 'http_request_seconds',
    help: 'How long requests over REST took, by route, method and status.',
    labels: ['route', 'method', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  }),
})
