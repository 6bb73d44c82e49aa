import { type Commands, createCommands } from './commands.ts'
import { createEar, type Ear, type EarEvents } from './ear.ts'
import type { Endpoint } from './faults.ts'
import { ioredisOptions, type Server } from './options.ts'

/** One server, or the master that sentinels name, and this process's connections to it. */
export interface Node {
  readonly commands: Commands
  /** Made when it is first needed: who only asks hears nothing. */
  ear(): Ear
  readonly hasEar: boolean
  close(): void
}

export interface NodeEvents extends EarEvents {
  connected(changed: boolean): void
  disconnected(reason: unknown): void
}

export interface NodeDeps {
  readonly server: Server
  readonly endpoint: Endpoint | undefined
  /** A channel name of which the server serves the slot. */
  probeChannel(): string | undefined
}

export function createNode({ server, endpoint, probeChannel }: NodeDeps, events: NodeEvents): Node {
  const { times } = server
  const options = ioredisOptions(server, endpoint)
  const commands = createCommands(options, { up: events.connected, down: events.disconnected })
  commands.redis.connect().catch(() => undefined)
  let ear: Ear | undefined

  return {
    commands,
    ear() {
      ear ??= createEar(
        { options, times, probeChannel, publish: (channel, word) => commands.command('SPUBLISH', [channel, word]) },
        events,
      )
      return ear
    },
    get hasEar() {
      return ear !== undefined
    },
    close() {
      ear?.close()
      commands.close()
    },
  }
}
