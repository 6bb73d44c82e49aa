import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

function filesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    const stats = statSync(path)
    if (stats.isDirectory()) return filesBelow(path)
    return stats.isFile() ? [path] : []
  })
}

/** A text as a store may write it down: as it is, as two bytes a letter, in hex, and in base64 wherever it begins. */
function formsOf(text: string): Buffer[] {
  const bytes = Buffer.from(text)
  // What stands before it decides which letters it becomes; those at both ends are shared with its neighbours.
  const base64 = [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replaceAll('=', '')
    return encoded.slice(before === 0 ? 0 : before + 1, -2)
  })
  const forms = [bytes.toString('hex'), bytes.toString('hex').toUpperCase(), ...base64].map((form) => Buffer.from(form))
  return [bytes, Buffer.from(text, 'utf16le'), ...forms]
}

/** Whether a text stands in these bytes, in any form. */
export const holds = (bytes: Buffer, text: string): boolean => formsOf(text).some((form) => bytes.includes(form))

/** Which of the texts stand in a file of the folder, in any form, each with the first file that holds it. */
export function heldIn(folder: string, texts: readonly string[]): Map<string, string> {
  const found = new Map<string, string>()
  for (const file of filesBelow(folder)) {
    const bytes = readFileSync(file)
    for (const text of texts) {
      if (!found.has(text) && holds(bytes, text)) found.set(text, file)
    }
  }
  return found
}
