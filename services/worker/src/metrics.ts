import type { Metrics } from '@chatbox/runtime'

export type WorkerMetrics = ReturnType<typeof workerMetrics>

export const workerMetrics = (metrics: Metrics) => ({
  active: metrics.gauge({
    name: 'worker_answers_active',
    help: 'Answers that are under way in this worker.',
  }),
  ended: metrics.counter({
    name: 'worker_answers_total',
    help: 'Answers that this worker ended, by model, status and error code (empty where there was none).',
    labels: ['model', 'status', 'code'],
  }),
  left: metrics.counter({
    name: 'worker_answers_left_total',
    help: 'Answers that this worker stopped working on without an end, by the reason.',
    labels: ['reason'],
  }),
  queueWait: metrics.histogram({
    name: 'worker_queue_wait_seconds',
    help: 'How long answers waited for a worker since their turn had come.',
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 600],
  }),
  firstToken: metrics.histogram({
    name: 'worker_first_token_seconds',
    help: 'How long providers took from the request to the first token, by model.',
    labels: ['model'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30],
  }),
  took: metrics.histogram({
    name: 'worker_answer_seconds',
    help: 'How long answers took from their begin in this worker to their end, by model and status.',
    labels: ['model', 'status'],
    buckets: [0.5, 1, 2, 5, 10, 20, 40, 80, 160, 300],
  }),
  faults: metrics.counter({
    name: 'worker_provider_faults_total',
    help: 'Requests to providers that failed, by provider and error code.',
    labels: ['provider', 'code'],
  }),
  retries: metrics.counter({
    name: 'worker_provider_retries_total',
    help: 'Requests to providers that were repeated, by provider and whether text had been shown.',
    labels: ['provider', 'after_text'],
  }),
  breaker: metrics.gauge({
    name: 'worker_breaker_state',
    help: 'Whether a model is asked: 0 as usual, 1 by one request on trial, 2 not at all, by provider and model.',
    labels: ['provider', 'model'],
  }),
  fallbacks: metrics.counter({
    name: 'worker_fallbacks_total',
    help: 'Answers that another model gave because the one that was asked was away, by both.',
    labels: ['model', 'fallback'],
  }),
  tokens: metrics.counter({
    name: 'worker_tokens_total',
    help: 'Tokens that answers took, by model, direction and whether they were estimated.',
    labels: ['model', 'direction', 'estimated'],
  }),
  trimmed: metrics.counter({
    name: 'worker_prompts_trimmed_total',
    help: 'Prompts whose oldest messages were left out to keep the budget, by model.',
    labels: ['model'],
  }),
  pieces: metrics.counter({
    name: 'worker_pieces_total',
    help: 'Pieces of text that came from providers.',
  }),
  chunks: metrics.counter({
    name: 'worker_chunks_total',
    help: 'Chunks that were made of them, each sent to devices as one frame.',
  }),
  append: metrics.histogram({
    name: 'worker_append_seconds',
    help: 'How long one call took that appends the chunks of all answers.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
  }),
  rewrites: metrics.counter({
    name: 'worker_records_rewritten_total',
    help: 'Records of answers that the store had lost and that were written again.',
  }),
  storeRetries: metrics.counter({
    name: 'worker_store_retries_total',
    help: 'Calls to a store that were repeated because it was away, by what was wanted.',
    labels: ['what'],
  }),
})
