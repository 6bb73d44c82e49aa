/** The little that the services need of a metric; prom-client's classes have it. */
export type Labels<L extends string> = Partial<Record<L, string | number>>

export interface Counter<L extends string = never> {
  inc(labels: Labels<L>, value?: number): void
  inc(value?: number): void
}

export interface Gauge<L extends string = never> {
  set(labels: Labels<L>, value: number): void
  set(value: number): void
  inc(labels: Labels<L>, value?: number): void
  inc(value?: number): void
  dec(labels: Labels<L>, value?: number): void
  dec(value?: number): void
  remove(labels: Labels<L>): void
}

export interface Histogram<L extends string = never> {
  observe(labels: Labels<L>, value: number): void
  observe(value: number): void
}

export interface MetricOptions<L extends string = never> {
  /** Without the prefix `chatbox_`. */
  name: string
  /** What it counts or measures, one sentence; the docs are made from it. */
  help: string
  labels?: readonly L[]
}

export interface GaugeOptions<L extends string = never> extends MetricOptions<L> {
  /** Asked at each scrape, in place of keeping the gauge up to date. */
  collect?: (gauge: Gauge<L>) => void | Promise<void>
}

export interface HistogramOptions<L extends string = never> extends MetricOptions<L> {
  /** Upper bounds; seconds for durations. */
  buckets: readonly number[]
}

export interface MetricDoc {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
}
