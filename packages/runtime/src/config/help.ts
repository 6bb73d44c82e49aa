import type { SettingDoc } from './setting.ts'

export interface Help {
  /** How the program is called, such as `npm start --`. */
  readonly call: string
  /** Flags that stand for no variable, with what they do: `['--check', 'Only looks.']`. */
  readonly switches?: readonly (readonly [string, string])[]
  /** Variables without a flag that are worth a line. */
  readonly variables?: readonly string[]
  /** A last line: where the rest is told. */
  readonly more?: string
}

/** One line for each flag and for each variable that matters, from what the settings say of themselves. */
export function helpText(
  docs: readonly SettingDoc[],
  flags: Readonly<Record<string, string>> = {},
  { call, switches = [], variables = [], more }: Help = { call: '' },
): string {
  const aboutOf = (name: string): string => {
    const doc = docs.find((candidate) => candidate.name === name)
    return doc ? `${doc.about}${doc.default ? ` Default: ${doc.default}.` : ''}` : ''
  }
  const ofFlags = Object.entries(flags).map(([flag, name]) => [`--${flag} ${name}`, aboutOf(name)] as const)
  const own = [
    ...switches,
    ['--check-config', 'Checks the configuration, and starts nothing.'],
    ['--help', 'Prints this.'],
  ] as const
  const ofVariables = variables.map((name) => [name, aboutOf(name)] as const)
  const width = Math.max(...[...ofFlags, ...own, ...ofVariables].map(([left]) => left.length))
  const table = (rows: readonly (readonly [string, string])[]) =>
    rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd())
  return [
    ...(call === '' ? [] : [`Usage: ${call} [flags]`, '']),
    ...table([...ofFlags, ...own]),
    ...(ofVariables.length > 0 ? ['', 'From the environment:', ...table(ofVariables)] : []),
    ...(more === undefined ? [] : ['', more]),
    '',
  ].join('\n')
}
