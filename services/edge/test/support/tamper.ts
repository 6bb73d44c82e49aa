import type { Fabric } from '@chatbox/core'

export type Port = 'bus' | 'answers' | 'ingest' | 'registry' | 'limiter' | 'disabled'
/** Gets the call as it was made, and decides what comes of it. */
type How = (proceed: () => Promise<unknown>, ...args: unknown[]) => Promise<unknown>

export interface Tampering {
  readonly fabric: Fabric
  /** From now on every call goes through `how`; the result ends it. */
  all(how: How): () => void
  /** From now on calls of this method go through `how`; the result ends it. */
  on(port: Port, method: string, how: How): () => void
  /** Holds the next call back before it is made. */
  stop(port: Port, method: string): Stopped
}

export interface Stopped {
  /** Resolves when the call has come. */
  readonly reached: Promise<void>
  goOn(): void
  fail(error: Error): void
}

/** Ports that a test can hold up or break. */
export function tamperWith(fabric: Fabric): Tampering {
  const hows = new Map<string, How>()
  let howAll: How | undefined

  const tampered = <T extends object>(name: Port, port: T): T =>
    new Proxy(port, {
      get(target, key) {
        const method: unknown = Reflect.get(target, key)
        if (typeof method !== 'function') return method
        return (...args: unknown[]) => {
          const proceed = () => Promise.resolve(Reflect.apply(method, target, args))
          const how = hows.get(`${name}.${String(key)}`) ?? howAll
          return how ? how(proceed, ...args) : proceed()
        }
      },
    })

  function on(port: Port, method: string, how: How): () => void {
    const name = `${port}.${method}`
    hows.set(name, how)
    return () => {
      if (hows.get(name) === how) hows.delete(name)
    }
  }

  return {
    fabric: {
      ...fabric,
      bus: tampered('bus', fabric.bus),
      answers: tampered('answers', fabric.answers),
      ingest: tampered('ingest', fabric.ingest),
      registry: tampered('registry', fabric.registry),
      limiter: tampered('limiter', fabric.limiter),
      disabled: tampered('disabled', fabric.disabled),
    },
    on,
    all(how) {
      howAll = how
      return () => {
        howAll = undefined
      }
    },
    stop(port, method) {
      let reach: () => void = () => undefined
      let settle: (error?: Error) => void = () => undefined
      const reached = new Promise<void>((resolve) => {
        reach = resolve
      })
      const settled = new Promise<void>((resolve, reject) => {
        settle = (error) => (error ? reject(error) : resolve())
      })
      const end = on(port, method, async (proceed) => {
        end()
        reach()
        await settled
        return proceed()
      })
      return { reached, goOn: () => settle(), fail: (error) => settle(error) }
    },
  }
}
