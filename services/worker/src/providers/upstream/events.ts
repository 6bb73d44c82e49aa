import { isUtf8 } from 'node:buffer'
import type { ZodType } from 'zod'
import { ProviderFault } from '../../provider.ts'

/** One server-sent event. */
export interface ServerEvent {
  readonly name: string | undefined
  readonly data: string
}

export interface EventsOptions {
  /** Of an event with its comments and line ends; what is longer would be held in memory until nobody knows when. 1 MiB by default. */
  readonly mostBytes?: number
}

const MOST_BYTES = 1024 * 1024

const LF = 10
const CR = 13
const BYTE_ORDER_MARK = Buffer.from('\uFEFF')

/**
 * The events of a stream that was answered with success. Comments, and events without data, such as pings, are passed over. Throws a
 * `ProviderFault` for what is no such stream; what the connection throws is passed on. Leaving it ends the request.
 */
export async function* eventsOf(
  response: Response,
  { mostBytes = MOST_BYTES }: EventsOptions = {},
): AsyncGenerator<ServerEvent, void> {
  const split = splitter(mostBytes)
  let first = true
  let any = false
  for await (const chunk of await streamOf(response)) {
    for (const block of split(chunk)) {
      const event = eventIn(first ? withoutMark(block) : block)
      first = false
      if (!event) continue
      any = true
      yield event
    }
  }
  if (!any) throw garbage('nothing that is an event')
}

/** An event's data, or anything else that a vendor says in JSON, as what it has to be. */
export function readJson<T>(data: string, schema: ZodType<T>): T {
  const parsed = schema.safeParse(jsonOf(data))
  // Neither error is a cause: they quote what they could not read.
  if (!parsed.success) throw garbage('an event that cannot be read')
  return parsed.data
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const garbage = (what: string): ProviderFault =>
  new ProviderFault('provider_error', `the provider sent ${what}`, { retryable: true })

async function streamOf({ headers, body }: Response): Promise<ReadableStream<Uint8Array>> {
  const type = headers.get('content-type') ?? ''
  const [other] = /html|json/i.exec(type) ?? []
  if (other !== undefined || !body) {
    await body?.cancel()
    // Worth no other try: this is what something between us and the vendor says, or a server that knows no streams.
    throw new ProviderFault(
      'provider_error',
      `the provider sent ${other?.toUpperCase() ?? 'no body'} instead of a stream`,
    )
  }
  return body
}

/** Bytes up to and including each empty line. Lines end in \n or \r\n; nobody sends the bare \r that is allowed as well. */
function splitter(mostBytes: number): (chunk: Uint8Array) => Generator<Buffer, void> {
  let parts: Uint8Array[] = []
  let size = 0
  let blank = true
  const keep = (part: Uint8Array) => {
    size += part.length
    if (size > mostBytes) throw garbage(`an event longer than ${mostBytes} bytes`)
    parts.push(part)
  }
  const block = (last: Uint8Array): Buffer => {
    keep(last)
    // Mostly an event comes whole, and needs no copy.
    const whole = parts.length === 1 ? viewOf(last) : Buffer.concat(parts, size)
    if (!isUtf8(whole)) throw garbage('bytes that are no UTF-8')
    parts = []
    size = 0
    return whole
  }
  return function* (chunk) {
    let blockAt = 0
    let lineAt = 0
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, lineAt)) {
      const empty = blank && isBlank(chunk, lineAt, end)
      lineAt = end + 1
      blank = true
      if (!empty) continue
      yield block(chunk.subarray(blockAt, lineAt))
      blockAt = lineAt
    }
    blank &&= isBlank(chunk, lineAt, chunk.length)
    if (blockAt < chunk.length) keep(chunk.subarray(blockAt))
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, byteLength)

const isBlank = (bytes: Uint8Array, from: number, to: number): boolean =>
  from >= to || (from + 1 === to && bytes[from] === CR)

/** A byte order mark may stand before the first event; it would make an unknown field of its first line. */
const withoutMark = (block: Buffer): Buffer => (block.indexOf(BYTE_ORDER_MARK) === 0 ? block.subarray(3) : block)

function eventIn(block: Buffer): ServerEvent | undefined {
  let name: string | undefined
  let data: string | undefined
  for (const line of block.toString('utf8').split('\n')) {
    const end = line.endsWith('\r') ? line.length - 1 : line.length
    const colon = line.indexOf(':')
    const field = line.slice(0, colon === -1 ? end : colon)
    if (field !== 'data' && field !== 'event') continue
    const from = line[colon + 1] === ' ' ? colon + 2 : colon + 1
    const value = colon === -1 ? '' : line.slice(from, end)
    if (field === 'event') name = value
    else data = data === undefined ? value : `${data}\n${value}`
  }
  return data === undefined ? undefined : { name, data }
}
