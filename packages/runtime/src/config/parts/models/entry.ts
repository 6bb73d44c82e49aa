import { z } from 'zod'

const text = (max: number) => {
  const message = `must be a text of 1 to ${max} characters`
  return z.string(message).min(1, message).max(max, message)
}
const number = (min: number, max: number) => {
  const message = `must be a number from ${min} to ${max}`
  return z.number(message).min(min, message).max(max, message)
}
const tokens = (min: number, max: number) => {
  const message = `must be a whole number from ${min} to ${max}`
  return z.int(message).min(min, message).max(max, message)
}

/** Whoever writes the list must not be able to send one of our other secrets to a vendor by a slip. */
const keyName = z
  .string('must be the name of a variable')
  .regex(/^[A-Z][A-Z0-9_]*_API_KEY$/, 'must be the name of a variable that ends in _API_KEY')

const url = z
  .string('must be a URL')
  .refine((raw) => URL.canParse(raw), 'must be a URL')
  .transform((raw) => new URL(raw))
  .refine(({ search, hash }) => search === '' && hash === '', 'must have no query and no fragment')

/** So high that nobody asks it, and so low that sums of whole millionths of a dollar stay exact. */
const DEAREST = 10_000

const price = z.strictObject(
  { in: number(0, DEAREST), out: number(0, DEAREST) },
  'must be {"in": …, "out": …}, in US dollars for a million tokens',
)

const shown = { id: text(100), label: text(200), default: z.boolean('must be true or false').optional() }

const common = {
  ...shown,
  contextTokens: tokens(100, 10_000_000).optional(),
  price: price.optional(),
  fallback: text(100).optional(),
}
const vendor = { ...common, key: keyName.optional(), baseUrl: url.optional() }
const prompting = { systemPrompt: text(100_000).optional() }
const sampling = { ...prompting, temperature: number(0, 2).optional(), maxTokens: tokens(1, 1_000_000).optional() }
const model = text(200)

/** Where servers that speak like OpenAI differ from it. */
const compatible = {
  maxTokensName: z
    .enum(['max_completion_tokens', 'max_tokens'], 'must be max_completion_tokens or max_tokens')
    .optional(),
  askUsage: z.boolean('must be true or false').optional(),
}

/** What Dify's interface has no place for: said rather than dropped, for whoever writes it expects that it counts. */
const ofTheApp = z.undefined('is decided in the Dify app that the key belongs to, and cannot be set here').optional()
const decidedByDify = { model: ofTheApp, systemPrompt: ofTheApp, temperature: ofTheApp, maxTokens: ofTheApp }

/** One entry of MODELS as it is written. What does not belong to its provider is refused, because it would do nothing. */
export const modelEntry = z.discriminatedUnion(
  'provider',
  [
    z.strictObject({ ...vendor, ...sampling, ...compatible, provider: z.literal('openai'), model, api: api() }),
    z.strictObject({ ...vendor, ...sampling, provider: z.literal('anthropic'), model }),
    z.strictObject({ ...vendor, ...decidedByDify, provider: z.literal('dify') }),
    z.strictObject({
      ...common,
      ...prompting,
      maxTokens: sampling.maxTokens,
      provider: z.literal('demo'),
      pace: number(0, 100).optional(),
    }),
  ],
  'must have as its provider openai, anthropic, dify or demo',
)

function api() {
  return z.enum(['chat', 'responses'], 'must be chat or responses').optional()
}

export type ModelEntry = z.infer<typeof modelEntry>

/** What edges and storage read of it: a newer worker's list must not stop them. */
export const namedEntry = z.looseObject(shown)

/** Ends of sentences, one for each thing wrong; none holds a value. */
export function faultsOf(error: z.ZodError): string[] {
  return error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys')
      return `has fields that its provider does not know: ${issue.keys.map(named).join(', ')}`
    const field = issue.path.join('.')
    return field === '' || field === 'provider' ? issue.message : `${field} ${issue.message}`
  })
}

/** The name of a field helps to find it; what is no word may be anything, a key too. */
const named = (field: string): string => (/^[A-Za-z]{1,30}$/.test(field) ? field : '(one that is no word)')
