import type { Commands } from './commands.ts'

/** By which policy the server throws keys away when its memory is full; undefined where it throws none away. */
export async function evictionOf({ command }: Pick<Commands, 'command'>): Promise<string | undefined> {
  const info = String(await command('INFO', ['memory']))
  const policy = /^maxmemory_policy:([a-z-]+)/m.exec(info)?.[1]
  const bounded = !/^maxmemory:0\s*$/m.test(info)
  return bounded && policy !== 'noeviction' ? policy : undefined
}
