import type { z } from 'zod'
import { FAULTY, type Faulty, type Source } from './source.ts'

/** What is said about one environment variable, for docs and templates. */
export interface SettingDoc {
  readonly name: string
  readonly about: string
  /** The default, as one would write it in the environment. */
  readonly default?: string
  readonly required: boolean
  /** A secret can also come from the file that NAME_FILE names. */
  readonly secret: boolean
}

/** One variable, or several that make one value. Settings are the pieces a service's configuration is put together from. */
export interface Setting<T> {
  readonly docs: readonly SettingDoc[]
  read(source: Source): T | Faulty
}

/** Turns a variable's text into its value. Its messages are ends of sentences and hold no values. */
export type Codec<T> = z.ZodType<T, string>

interface Common {
  /** What the setting is for, one sentence. */
  about: string
  /** Read from NAME or from the file that NAME_FILE names; never trimmed, apart from the file's last line break. */
  secret?: boolean
  /** What to say when it is not there: the end of the sentence "NAME: …". */
  missing?: string
}
type WithDefault = Common & {
  /** In the form it would have in the environment, so that the docs can show it. */
  default: string
}
type Optional = Common & { optional: true }

export function setting<T>(name: string, codec: Codec<T>, options: WithDefault): Setting<T>
export function setting<T>(name: string, codec: Codec<T>, options: Optional): Setting<T | undefined>
export function setting<T>(name: string, codec: Codec<T>, options: Common): Setting<T>
export function setting<T>(
  name: string,
  codec: Codec<T>,
  options: Common & { default?: string; optional?: boolean },
): Setting<T | undefined> {
  const secret = options.secret ?? false
  const required = options.default === undefined && !options.optional
  const fallback = options.default === undefined ? undefined : codec.parse(options.default)

  function read(source: Source): T | undefined | Faulty {
    const raw = secret ? source.secret(name) : source.text(name)
    if (raw === FAULTY) return FAULTY
    if (raw === undefined) return required ? source.fault(name, options.missing ?? 'is missing') : fallback
    const parsed = codec.safeParse(raw)
    if (parsed.success) return parsed.data
    for (const issue of parsed.error.issues) source.fault(name, sentenceOf(issue))
    return FAULTY
  }

  const doc = { name, about: options.about, required, secret }
  return { docs: [options.default === undefined ? doc : { ...doc, default: options.default }], read }
}

/** Codecs of lists put the entry's place in the issue's path; the entry itself may be a secret. */
function sentenceOf(issue: z.core.$ZodIssue): string {
  const place = issue.path.find((step) => typeof step === 'number')
  return place === undefined ? issue.message : `entry ${place + 1} ${issue.message}`
}
