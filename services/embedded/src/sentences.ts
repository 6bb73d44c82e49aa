import { RingFault } from '@chatbox/crypto'
import { ListenError } from '@chatbox/runtime'
import { StoreError } from '@chatbox/sqlite'
import type { EmbeddedConfig } from './config.ts'
import { DataFolderError } from './secrets.ts'

/** What a person who starts the program can do something about is one sentence; everything else is a fault of ours. */
export function sentenceFor(error: unknown, config: Pick<EmbeddedConfig, 'listen'>): string | undefined {
  if (error instanceof RingFault) {
    return `${error.message} The key that a data folder came with, k1, is \`encryptionKey\` in its secrets.json.`
  }
  if (error instanceof DataFolderError || error instanceof StoreError || error instanceof ListenError)
    return error.message
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const { host, port } = config.listen
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is in use or can't be had; choose another one with --port, or another address with --host.`
    case 'EACCES':
      return `Port ${port} on ${host} is not allowed to this user; choose one above 1023 with --port.`
    default:
      return undefined
  }
}
