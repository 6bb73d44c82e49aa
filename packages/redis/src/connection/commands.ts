import { Redis } from 'ioredis'
import { codeOf, faultOf, noConnection } from './faults.ts'
import type { ConnectionOptions } from './options.ts'
import { runOf } from './run.ts'
import { type Argument, allScripts, type Reply, type Script } from './script.ts'
import { wakeable } from './wake.ts'

export interface ScriptCall {
  readonly script: Script
  readonly keys: readonly string[]
  readonly args: readonly Argument[]
}

/** One connection for commands to one server; every call ends within the command timeout. */
export interface Commands {
  /** The server's life that this connection is to; undefined while there is none. */
  readonly run: string | undefined
  readonly redis: Redis
  /**
   * Rejects with `Unavailable`: it may have run; with `Refused`: it has not. `asking`: another server of the cluster sent us here for
   * this once, for keys that are on their way.
   */
  call(script: Script, keys: readonly string[], args: readonly Argument[], asking?: boolean): Promise<Reply>
  /** In one go and in order; each has its own outcome. */
  callAll(calls: readonly ScriptCall[]): Promise<(Reply | Error)[]>
  command(name: string, args?: readonly Argument[], asking?: boolean): Promise<Reply>
  /** Resolves when it can be used. `once`: rejects when the next try to connect fails. */
  connected(signal: AbortSignal, once?: boolean): Promise<void>
  close(): void
}

export interface CommandsEvents {
  /** A connection stands; `changed` if the server has begun a new life since the last one. */
  up(changed: boolean): void
  down(reason: unknown): void
}

export function createCommands(options: ConnectionOptions, events: CommandsEvents): Commands {
  const redis = new Redis(options)
  let run: string | undefined
  let lastRun: string | undefined
  let lastError: unknown
  let closed = false
  const waiting = wakeable()

  const loadScripts = () => redis.pipeline(allScripts().map(({ lua }) => ['script', 'load', lua])).exec()

  async function greet(): Promise<void> {
    const { id } = await runOf(redis)
    await loadScripts()
    const changed = lastRun !== undefined && lastRun !== id
    run = id
    lastRun = id
    events.up(changed)
    waiting.all()
  }

  redis.on('ready', () => {
    greet().catch((error: unknown) => {
      lastError = error
      if (!closed) redis.disconnect(true)
    })
  })
  redis.on('close', () => {
    waiting.failed()
    if (run === undefined) return
    run = undefined
    events.down(lastError)
  })
  redis.on('error', (error) => {
    lastError = error
  })

  /** A server that does not answer keeps the commands that it was sent; a new connection has none (P10). */
  function failed(error: unknown): unknown {
    const fault = faultOf(error)
    if (error instanceof Error && error.message === 'Command timed out' && run !== undefined) {
      run = undefined
      events.down(fault)
      redis.disconnect(true)
    }
    return fault
  }

  let gathering = false

  /** What is sent in one round of the event loop leaves in one write: under load, writing is what a command costs most. */
  function gather(): void {
    if (gathering) return
    gathering = true
    const { stream } = redis
    stream.cork()
    setImmediate(() => {
      gathering = false
      stream.uncork()
    })
  }

  async function safely(send: () => Promise<unknown>): Promise<Reply> {
    if (run === undefined) throw noConnection(lastError)
    gather()
    try {
      return (await send()) as Reply
    } catch (error) {
      throw failed(error)
    }
  }

  async function sendAll(calls: readonly ScriptCall[]): Promise<[Error | null, Reply][]> {
    const replies: unknown = await safely(async () => {
      const pipeline = redis.pipeline()
      for (const call of calls) pipeline.callBuffer('EVALSHA', ...argumentsOf(call))
      return pipeline.exec()
    })
    return replies as [Error | null, Reply][]
  }

  function send(asking: boolean, name: string, args: readonly Writable[]): Promise<unknown> {
    // Good for the one command behind it, which fails where this one does.
    if (asking) redis.call('ASKING').catch(() => undefined)
    return redis.callBuffer(name, ...args)
  }

  const argumentsOf = ({ script, keys, args }: ScriptCall) => [script.sha, keys.length, ...keys, ...args.map(writable)]

  return {
    get run() {
      return run
    },
    redis,
    async call(script, keys, args, asking = false) {
      return safely(async () => {
        try {
          return await send(asking, 'EVALSHA', argumentsOf({ script, keys, args }))
        } catch (error) {
          // Somebody has flushed the scripts; it has not run.
          if (codeOf(error) !== 'NOSCRIPT') throw error
          return send(asking, 'EVAL', [script.lua, keys.length, ...keys, ...args.map(writable)])
        }
      })
    },
    async callAll(calls) {
      if (calls.length === 0) return []
      const outcomes = await sendAll(calls)
      const unknown = calls.filter((_, i) => codeOf(outcomes[i]?.[0]) === 'NOSCRIPT')
      if (unknown.length > 0) {
        // Somebody has flushed the scripts. Those calls did not run, and run now in their order.
        await safely(loadScripts)
        const again = (await sendAll(unknown)).values()
        outcomes.forEach((outcome, i) => {
          if (codeOf(outcome[0]) === 'NOSCRIPT') outcomes[i] = again.next().value ?? outcome
        })
      }
      return outcomes.map(([error, reply]) => (error ? (failed(error) as Error) : reply))
    },
    command: (name, args = [], asking = false) => safely(() => send(asking, name, args.map(writable))),
    async connected(signal, once) {
      if (run === undefined) await waiting.wait(signal, () => lastError, once)
    },
    close() {
      closed = true
      run = undefined
      redis.disconnect()
    },
  }
}

type Writable = string | number | Buffer

/** ioredis takes bytes as a Buffer alone; no byte is copied. */
const writable = (argument: Argument): Writable =>
  argument instanceof Uint8Array && !Buffer.isBuffer(argument)
    ? Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength)
    : (argument as Writable)
