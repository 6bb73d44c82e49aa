import { ProviderFault } from '../../provider.ts'

interface Bytes {
  getReader(): {
    read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>
    cancel(reason?: unknown): Promise<void>
  }
}

/** The same bytes as long as there are no more than these; then it fails, and the source is let go (security 35). */
export function bounded(body: Bytes, maxBytes: number): ReadableStream<Uint8Array<ArrayBufferLike>> {
  const reader = body.getReader()
  let bytes = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read()
        if (done || !value) return controller.close()
        bytes += value.byteLength
        if (bytes <= maxBytes) return controller.enqueue(value)
        const fault = new ProviderFault('provider_error', `the provider sent more than ${maxBytes} bytes`)
        controller.error(fault)
        await reader.cancel(fault)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    // Nothing is read ahead of whoever reads.
    { highWaterMark: 0 },
  )
}
