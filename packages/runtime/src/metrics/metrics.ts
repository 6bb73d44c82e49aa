import * as prometheus from 'prom-client'
import type { Counter, Gauge, GaugeOptions, Histogram, HistogramOptions, MetricDoc, MetricOptions } from './types.ts'

const PREFIX = 'chatbox_'

/** The metrics of one process, handed to whoever measures; nothing is global (O2). */
export interface Metrics {
  readonly contentType: string
  /** Two parts that define the same metric share it, since embedded runs several services in one process. */
  counter<L extends string = never>(options: MetricOptions<L>): Counter<L>
  gauge<L extends string = never>(options: GaugeOptions<L>): Gauge<L>
  histogram<L extends string = never>(options: HistogramOptions<L>): Histogram<L>
  /** Everything that is measured, by name. */
  list(): MetricDoc[]
  /** The Prometheus text. */
  text(): Promise<string>
}

export interface MetricsOptions {
  /** Measure the process too: memory, processor time, event loop delay, garbage collection. */
  processMetrics?: boolean
}

export function createMetrics({ processMetrics = false }: MetricsOptions = {}): Metrics {
  const registry = new prometheus.Registry()
  if (processMetrics) prometheus.collectDefaultMetrics({ register: registry, prefix: PREFIX })
  const docs = new Map<string, MetricDoc>(registry.getMetricsAsArray().map((metric) => [metric.name, docOf(metric)]))
  const counters = new Map<string, Counter<string>>()
  const gauges = new Map<string, Gauge<string>>()
  const histograms = new Map<string, Histogram<string>>()

  /** The earlier metric of this name if it is alike; a new one if there is none. */
  function define<M>(made: Map<string, M>, doc: MetricDoc, make: (config: PromConfig) => M): M {
    refuseBadDefinition(doc)
    const known = docs.get(doc.name)
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(doc)) throw definedTwice(doc)
    const { name, help, labels } = doc
    const metric = made.get(name) ?? make({ name, help, labelNames: [...labels], registers: [registry] })
    docs.set(name, doc)
    made.set(name, metric)
    return metric
  }

  return {
    contentType: registry.contentType,
    counter: (options) =>
      define(counters, docFor('counter', options), (config) => new prometheus.Counter<string>(config)),
    gauge(options) {
      const { collect } = options
      const doc = docFor('gauge', options)
      if (collect && docs.has(doc.name)) throw definedTwice(doc)
      return define(gauges, doc, (config) => {
        if (!collect) return new prometheus.Gauge<string>(config)
        const gauge: Gauge<string> = new prometheus.Gauge<string>({ ...config, collect: () => collect(gauge) })
        return gauge
      })
    },
    histogram(options) {
      const make = (config: PromConfig) =>
        new prometheus.Histogram<string>({ ...config, buckets: [...options.buckets] })
      return define(histograms, docFor('histogram', options), make)
    },
    list: () => [...docs.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    text: () => registry.metrics(),
  }
}

interface PromConfig {
  name: string
  help: string
  labelNames: string[]
  registers: prometheus.Registry[]
}

function docFor(type: MetricDoc['type'], { name, help, labels = [] }: MetricOptions<string>): MetricDoc {
  return { name: `${PREFIX}${name}`, type, help, labels: [...labels] }
}

/** prom-client's types say too little of its own metrics: their type is a word, and the names of labels are there. */
function docOf(metric: { name: string; help: string; type?: unknown; labelNames?: unknown }): MetricDoc {
  const { name, help, type, labelNames } = metric
  const labels = Array.isArray(labelNames) ? labelNames.map(String) : []
  return { name, type: type === 'counter' || type === 'histogram' ? type : 'gauge', help, labels }
}

function refuseBadDefinition({ name, type, help }: MetricDoc): void {
  const bare = name.slice(PREFIX.length)
  if (!/^[a-z][a-z0-9_]*$/.test(bare) || bare.startsWith(PREFIX)) throw new TypeError(`${bare} is no name for a metric`)
  if ((type === 'counter') !== name.endsWith('_total'))
    throw new TypeError(`${name}: counters, and only they, end in _total`)
  if (help.trim().length < 10) throw new TypeError(`${name}: a metric needs a sentence of help`)
}

function definedTwice({ name }: MetricDoc): TypeError {
  return new TypeError(`metric ${name} is defined twice, and not alike`)
}
