import { spawn } from 'node:child_process'

/**
 * Waits for the end of its input, which comes when whoever holds the other end is gone, however that came about. A
 * server's own children write for a moment after it is gone.
 */
const WATCH = 'read -r _; /bin/sh -c "$1"; [ -z "$2" ] || { sleep 1; rm -rf -- "$2"; }'

/**
 * Ends a server when this process ends without having stopped it, even by SIGKILL. Returns what unties the two.
 * @param end a shell command that ends the server at once
 * @param folder is removed with it
 */
export function tether(end: string, folder?: string): () => void {
  // Windows has no sh; there a server outlives a process that was killed.
  if (process.platform === 'win32') return () => undefined
  // In a session of its own, so that Ctrl-C does not end the watcher before it has done its work.
  const watcher = spawn('/bin/sh', ['-c', WATCH, 'tether', end, folder ?? ''], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watcher.unref()
  return () => {
    watcher.kill('SIGKILL')
    watcher.stdin.destroy()
  }
}
