/** A server that was started for a test. */
export interface RunningServer {
  /** Of the process, where it is on this machine: for signals that are no end. */
  readonly pid?: number
  readonly url: string
  readonly port: number
  readonly dir: string
  /** Ends the server and removes its folder. */
  stop(): Promise<void>
  /** SIGKILL; the folder stays, and starting with this port and dir takes it up again. */
  kill(): Promise<void>
}

/** Port and folder of a server that was killed, to start it again where it was. */
export interface TakenUp {
  readonly port?: number
  readonly dir?: string
}

/** A server that somebody else runs: tests use it, and leave it as it is. */
export function foreignServer(url: string, usualPort: number, variable: string): RunningServer {
  return {
    url,
    // By hand, because an address of MongoDB may name several hosts, which URL refuses.
    port: Number(/:(\d+)(?:[/,?]|$)/.exec(url.replace(/^.*@/, ''))?.[1] ?? usualPort),
    dir: '',
    stop: async () => undefined,
    kill: async () => {
      throw new Error(`${variable} names a server that is not for tests to kill: unset it for the fault tests`)
    },
  }
}
