import { ProviderFault } from '../../provider.ts'
import { faultOfStatus, quoted } from '../upstream/faults.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { type DifyError, type DifyEvent, readError } from './shapes.ts'

/** An answer without success. */
export interface Refused extends DifyError {
  readonly status: number
  readonly headers: Headers
}

/** Wrong keys, apps and models, and quotas that are used up: said with 400, but no fault of what was asked, and no better in a second. */
const OURS = new Set([
  'app_unavailable',
  'not_chat_app',
  'provider_not_initialize',
  'provider_quota_exceeded',
  'model_currently_not_support',
])

/** The model behind it failed, for whatever reason; said with 400 too. */
const BEHIND = 'completion_request_error'

/** Nobody can go on in the conversation that was named. */
export const isLost = ({ status, code }: Refused): boolean => status === 404 || code === 'conversation_completed'

export function faultOfRefusal(refused: Refused, upstream: Upstream): ProviderFault {
  const { status, headers, code = '' } = refused
  const detail = detailOf(refused, upstream)
  return OURS.has(code) || code === BEHIND ? failed(code, detail) : faultOfStatus(status, headers, detail)
}

/** An `error` event. What failed may have been any step of a workflow, even where its status says that the request was wrong. */
export function faultOfEvent(event: DifyEvent, upstream: Upstream): ProviderFault {
  const { status, code = '' } = event
  const detail = detailOf(event, upstream)
  if (status !== 429 && status !== 503) return failed(code, detail)
  return new ProviderFault('provider_overloaded', `the provider is overloaded: ${detail}`, { retryable: true })
}

const failed = (code: string, detail: string) =>
  new ProviderFault('provider_error', `the provider failed: ${detail}`, { retryable: !OURS.has(code) })

const detailOf = ({ code = '', message = '' }: DifyError, upstream: Upstream): string =>
  quoted(`${code} ${message}`.trim(), upstream)

/** No more of its body than a reason may take. */
export async function refusedBy({ status, headers, body }: Response): Promise<Refused> {
  return { ...readError(await beginningOf(body)), status, headers }
}

const MOST_UNITS = 16 * 1024

async function beginningOf(body: Response['body']): Promise<string> {
  if (!body) return ''
  const decoder = new TextDecoder()
  let text = ''
  // Leaving the loop ends the request.
  for await (const bytes of body) {
    text += decoder.decode(bytes, { stream: true })
    if (text.length >= MOST_UNITS) break
  }
  return text
}
