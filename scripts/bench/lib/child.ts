import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What a process of ours does for another one; arguments and results are copied. */
export type Handlers<Methods> = {
  [Name in keyof Methods]: Methods[Name] extends (argument: infer A) => infer R
    ? (argument: A) => R | Promise<Awaited<R>>
    : never
}

type Argument<Method> = Method extends (argument: infer A) => unknown ? A : never
type Result<Method> = Method extends (argument: never) => infer R ? Awaited<R> : never

/** A process that works for this one, and ends with it. */
export interface Child<Methods> {
  readonly pid: number
  ask<Name extends keyof Methods & string>(
    name: Name,
    argument: Argument<Methods[Name]>,
  ): Promise<Result<Methods[Name]>>
  stop(): void
}

interface Asked {
  readonly id: number
  readonly name: string
  readonly argument: unknown
}

type Answered = { readonly id: number; readonly result: unknown } | { readonly id: number; readonly failure: string }

/** `script` is relative to scripts/dist/bench. */
export function startChild<Methods>(script: string): Child<Methods> {
  const path = fileURLToPath(new URL(`../${script}`, import.meta.url))
  const child = fork(path, { serialization: 'advanced' })
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
  let asked = 0
  child.on('message', (message) => {
    const answered = message as Answered
    const waiter = waiting.get(answered.id)
    waiting.delete(answered.id)
    if ('failure' in answered) waiter?.reject(new Error(answered.failure))
    else waiter?.resolve(answered.result)
  })
  child.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error(`${script} has ended`))
    waiting.clear()
  })
  return {
    pid: child.pid ?? 0,
    ask: (name, argument) =>
      new Promise((resolve, reject) => {
        const id = ++asked
        // The other side answers with what its method of that name gives.
        waiting.set(id, { resolve: (result) => resolve(result as Result<Methods[typeof name]>), reject })
        child.send({ id, name, argument } satisfies Asked)
      }),
    stop: () => void child.kill('SIGKILL'),
  }
}

/** Called once by the script of a child. */
export function serve<Methods>(handlers: Handlers<Methods>): void {
  const table = handlers as Readonly<Record<string, (argument: unknown) => unknown>>
  process.on('message', (message) => {
    const { id, name, argument } = message as Asked
    const answer = (answered: Answered) => void process.send?.(answered)
    Promise.resolve()
      .then(() => table[name]?.(argument))
      .then(
        (result) => answer({ id, result }),
        (error: unknown) =>
          answer({ id, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      )
  })
  // Whoever started it has gone, in whatever way.
  process.on('disconnect', () => process.exit())
}
