import { ListenError } from '@chatbox/runtime'
import { StoreError } from '@chatbox/sqlite'
import type { EmbeddedConfig } from './config.ts'
import { DataFolderError } from './secrets.ts'

/** What a person who starts the program can do something about is one sentence; everything else is a fault of ours. */
export function sentenceFor(error: unknown, config: Pick<EmbeddedConfig, 'listen'>): string | undefined {
  if (error instanceof DataFolderError || error instanceof StoreError || error instanceof ListenError)
    return error.message
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    const { host, port } = config.listen
    return `Port ${port} on ${host} is in use or not allowed; choose another one with --port.`
  }
  return undefined
}
