import { APIError } from 'openai'
import { z } from 'zod'
import { ProviderFault, type ProviderFaultCode } from '../../provider.ts'
import { faultOfStatus, quoted } from '../upstream/faults.ts'
import type { Upstream } from '../upstream/upstream.ts'

/** OpenAI's error object, as loosely as compatible servers take it. */
const ERROR = z.object({
  message: z.string().catch('without a word'),
  type: z.string().nullish().catch(null),
  code: z.union([z.string(), z.number()]).nullish().catch(null),
})

/** Nothing that another try could mend: somebody has to pay. */
const UNPAID = /quota|credit|billing/
const OVERLOADED = /rate_limit|overload|slow_down|capacity|insufficient_system_resource/
const REJECTED = /^invalid_request|^invalid_prompt|content_filter|content_policy|bio_policy|context_length/

/** An error that was said inside a stream, where there is no status. */
export function faultOfError(error: unknown, upstream: Upstream): ProviderFault {
  const { message, type, code } = errorIn(error)
  // Servers that pass on what they were answered put its status here.
  if (typeof code === 'number') return faultOfStatus(code, new Headers(), quoted(message, upstream))
  const words = [code, type].filter((word) => word != null).join(' ')
  const fault = (as: ProviderFaultCode, retryable: boolean) =>
    new ProviderFault(as, `the provider failed while it answered: ${quoted(`${words}: ${message}`, upstream)}`, {
      retryable,
    })
  if (UNPAID.test(words)) return fault('provider_error', false)
  if (OVERLOADED.test(words)) return fault('provider_overloaded', true)
  return REJECTED.test(words) ? fault('provider_rejected', false) : fault('provider_error', true)
}

/** What the SDK threw instead of giving a response: a fault where a status came with it, else as it is. */
export function faultOfSdk(error: unknown, upstream: Upstream): unknown {
  if (!(error instanceof APIError) || error.status === undefined) return error
  const { message, type, code } = errorIn(error.error)
  const detail = quoted(message, upstream)
  const fault = faultOfStatus(error.status, error.headers ?? new Headers(), detail)
  // The same status as too many requests, but waiting pays no bill.
  if (error.status !== 429 || !UNPAID.test(`${code} ${type}`)) return fault
  return new ProviderFault('provider_error', fault.message)
}

function errorIn(error: unknown): z.infer<typeof ERROR> {
  const parsed = ERROR.safeParse(typeof error === 'string' ? { message: error } : error)
  return parsed.success ? parsed.data : { message: 'without a word' }
}

/** More of an error's body is not read: the log gets 500 characters. */
const MOST_BYTES = 64 * 1024

/**
 * The upstream's `fetch`, with the errors of compatible servers brought into OpenAI's shape, where the SDK looks for a text; they
 * say `{"detail": …}`, or HTML. And not longer than anybody reads.
 */
export const readableErrors =
  ({ fetch }: Upstream): typeof globalThis.fetch =>
  async (input, init) => {
    const response = await fetch(input, init)
    if (response.ok) return response
    const text = await beginning(response)
    const { status, headers } = response
    const body = hasError(text) ? text : JSON.stringify({ error: { message: text } })
    return new Response(body, { status, headers })
  }

function hasError(text: string): boolean {
  try {
    return Boolean(JSON.parse(text)?.error)
  } catch {
    return false
  }
}

async function beginning({ body }: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  if (body) {
    for await (const part of body) {
      parts.push(part)
      size += part.length
      if (size >= MOST_BYTES) break
    }
  }
  return Buffer.concat(parts).subarray(0, MOST_BYTES).toString('utf8')
}
