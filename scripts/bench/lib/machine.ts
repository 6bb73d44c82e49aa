import { cpus, loadavg, release, totalmem } from 'node:os'

/** The lines that stand above every table of figures: without them the figures say nothing. */
export function machineFacts(): string[] {
  const processors = cpus()
  const memory = (totalmem() / 2 ** 30).toFixed(0)
  return [
    `Node ${process.versions.node} (V8 ${process.versions.v8}) on ${process.platform} ${process.arch} ${release()}`,
    `${processors.length} × ${processors[0]?.model ?? 'unknown processor'}, ${memory} GiB of memory`,
    `load before the run: ${loadavg()
      .map((load) => load.toFixed(2))
      .join(' ')}`,
  ]
}
