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

/** Milliseconds that all processors have worked and been there, since the machine began. */
export function busyMs(): { readonly busy: number; readonly all: number } {
  let [busy, all] = [0, 0]
  for (const { times } of cpus()) {
    const { idle, ...work } = times
    const worked = Object.values(work).reduce((sum, ms) => sum + ms, 0)
    busy += worked
    all += worked + idle
  }
  return { busy, all }
}
