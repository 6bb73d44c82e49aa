import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'

/** What an installation needs to keep for itself. */
export interface Secrets {
  readonly jwtSecret: string
  readonly encryptionKey: Buffer
  /** Keeps the ids of new sessions from being guessed (R10). */
  readonly sessionSecret: string
}

/** Said to whoever starts the program; it names a place and what to do, never a secret. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError'
}

const FILE = 'secrets.json'
/** The database, in the same folder. */
export const DATABASE = 'chatbox.db'

const stored = z.strictObject({
  jwtSecret: z.string().min(32),
  encryptionKey: z.base64().refine((text) => Buffer.from(text, 'base64').length === 32),
  sessionSecret: z.string().min(32),
})

/** Made at the first start and kept in the data folder, readable by its owner alone. `ownKeys`: what is there was not sealed with ours. */
export function openDataFolder(folder: string, ownKeys: boolean): Secrets {
  try {
    makeFolder(resolve(folder))
    chmodSync(folder, 0o700)
  } catch (cause) {
    throw new DataFolderError(`The data folder ${folder} cannot be made or used (${codeOf(cause)}).`, { cause })
  }
  const file = join(folder, FILE)
  const kept = read(file)
  if (kept === undefined && !ownKeys && existsSync(join(folder, DATABASE))) {
    throw new DataFolderError(
      `${file} is missing, and the conversations in ${folder} cannot be read without it. Restore it from a backup, or choose another folder with --data.`,
    )
  }
  const text = kept ?? create(file)
  const parsed = stored.safeParse(parseJson(text))
  if (!parsed.success) {
    throw new DataFolderError(
      `${file} is damaged. Restore it from a backup: without its key the conversations beside it cannot be read.`,
    )
  }
  return { ...parsed.data, encryptionKey: Buffer.from(parsed.data.encryptionKey, 'base64') }
}

/** Level by level: on some file systems the recursive way of Node 20 never comes back. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  mkdirSync(folder, { mode: 0o700 })
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined
    throw new DataFolderError(`${file} cannot be read (${codeOf(cause)}).`, { cause })
  }
}

function create(file: string): string {
  const text = JSON.stringify({
    jwtSecret: randomBytes(32).toString('base64url'),
    encryptionKey: randomBytes(32).toString('base64'),
    sessionSecret: randomBytes(32).toString('base64url'),
  })
  const half = `${file}.new`
  try {
    // Written aside and renamed: a start that is killed here must not leave half a key behind.
    writeFileSync(half, text, { mode: 0o600, flush: true })
    renameSync(half, file)
  } catch (cause) {
    throw new DataFolderError(`${file} cannot be written (${codeOf(cause)}).`, { cause })
  }
  return text
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown error'
