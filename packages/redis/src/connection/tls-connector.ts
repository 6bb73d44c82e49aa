import { connect, type TLSSocket } from 'node:tls'
import { AbstractConnector } from 'ioredis'

interface Target {
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly disconnectTimeout?: number | undefined
  readonly tls?: object | undefined
}

/**
 * Connects as ioredis would. Only, a TLS socket may fail twice, when a handshake is refused on both ends, and ioredis listens for the
 * first failure alone: the second would end the process. A class, because ioredis makes one for each connection.
 */
export class TlsConnector extends AbstractConnector {
  readonly #target: Target

  constructor(options: unknown) {
    // ioredis hands over its own options.
    const target = options as Target
    super(target.disconnectTimeout ?? 0)
    this.#target = target
  }

  async connect(): Promise<TLSSocket> {
    this.connecting = true
    // ioredis expects the stream in a later turn.
    await new Promise((resolve) => process.nextTick(resolve))
    if (!this.connecting) throw new Error('the connection was closed')
    const { host, port, tls } = this.#target
    const stream = connect({ ...(host !== undefined && { host }), ...(port !== undefined && { port }), ...tls })
    stream.on('error', () => undefined)
    stream.once('error', (error) => {
      this.firstError = error
    })
    this.stream = stream
    return stream
  }
}
