/** One thing wrong with the configuration. The sentence never holds a value, so that no secret can be printed. */
export interface Fault {
  /** The environment variable (or flag) to change. */
  readonly name: string
  readonly sentence: string
}

export function faultLine(fault: Fault): string {
  return `${fault.name}: ${fault.sentence}`
}

/** Every fault of a configuration at once (X7). The message has one `NAME: sentence` per line. */
export class ConfigError extends Error {
  readonly code = 'config_invalid'
  readonly faults: readonly Fault[]

  constructor(faults: readonly Fault[]) {
    super(faults.map(faultLine).join('\n'))
    this.name = 'ConfigError'
    this.faults = faults
  }
}
