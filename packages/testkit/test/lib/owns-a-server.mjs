import { createViteServer } from 'vitest/node'

// Starts a server whose data is in the given folder, says its pid, and never stops it.
const [module = '', folder = ''] = process.argv.slice(2)
const vite = await createViteServer({
  configFile: false,
  logLevel: 'error',
  server: { middlewareMode: true, ws: false },
})
const { startServer } = await vite.ssrLoadModule(module)
const server = await startServer({
  program: '/bin/sh',
  args: ['-c', 'echo ready; exec sleep 600'],
  ready: /ready/,
  folder,
})
console.log(server.pid)
