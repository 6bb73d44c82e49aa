import { expect } from 'vitest'
import type { EdgeProcess } from '../distributed/system.ts'
import { alive, type StorageProcess, type WorkerProcess } from './backend.ts'
import type { Whole } from './scene.ts'

type Replaced = Pick<EdgeProcess | StorageProcess | WorkerProcess, 'process'>

async function stopped({ process: running }: Replaced): Promise<void> {
  running.kill('SIGTERM')
  expect(await running.exited).toEqual({ code: 0, signal: null })
}

const living = <P extends Replaced>(all: readonly P[]): P[] => all.filter(({ process: { pid } }) => alive(pid))

/** Puts a new process in the place of each one, with other settings, as a rolling update does: the old one stops when the new one serves. */
export async function deploy({ system, backend }: Whole, env: NodeJS.ProcessEnv): Promise<void> {
  for (const storage of living(backend.storages)) {
    await backend.startStorage(env)
    await stopped(storage)
  }
  for (const worker of living(backend.workers)) {
    await backend.startWorker(env)
    await stopped(worker)
  }
  for (const edge of [...system.edges]) {
    system.edges[system.edges.indexOf(edge)] = await system.startEdge(env)
    await stopped(edge)
  }
}
