import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder, isProgram } from './lib/machine.ts'

/** The newest release that runs on every distribution that Chatbox runs on. */
const VERSION = '8.0.13'

/** Short, because most machines that can't download give no answer at all. */
const ANSWER_WITHIN_MS = 4_000

const folder = () => join(cacheFolder(), 'mongod')

/** The mongod that was downloaded earlier. */
export function downloadedMongod(): string | undefined {
  try {
    return readdirSync(folder())
      .map((name) => join(folder(), name))
      .find((path) => path.includes('mongod-') && isProgram(path))
  } catch {
    // Nothing was downloaded yet.
    return undefined
  }
}

/** Whether MongoDB's own downloads can be reached from here, and have a mongod for this machine. */
export async function mongodDownloads(): Promise<boolean> {
  try {
    // Loaded only here and below: no test that starts a server should wait for it.
    const { MongoBinaryDownloadUrl } = await import('mongodb-memory-server-core/lib/util/MongoBinaryDownloadUrl.js')
    const { getOS } = await import('mongodb-memory-server-core/lib/util/getos/index.js')
    const machine = { platform: process.platform, arch: process.arch, os: await getOS() }
    const url = await new MongoBinaryDownloadUrl({ ...machine, version: VERSION }).getDownloadUrl()
    const { ok } = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
    return ok
  } catch {
    // No such machine among the downloads, or no way there: the next way is tried.
    return false
  }
}

export async function downloadMongod(): Promise<string> {
  const { MongoBinary } = await import('mongodb-memory-server-core')
  return MongoBinary.getPath({ version: VERSION, downloadDir: folder() })
}
