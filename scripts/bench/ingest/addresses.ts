/** Beside that of storage, on the same server and with the same indexes. */
export const BASELINE_DATABASE = 'chatbox_bench_baseline'

/** Where a baseline connects to, and what it seals with. */
export interface Addresses {
  readonly realtimeUrl: string
  readonly queueUrl: string
  readonly mongoUrl: string
  readonly key: Uint8Array
}
