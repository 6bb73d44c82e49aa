import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

// Loaded into a process in front of its main: tells at each SIGUSR2 how many bytes it holds that somebody still needs.
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')
process.on('SIGUSR2', () => {
  collect()
  // Buffers go in the collection after the one that found them.
  setTimeout(() => {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    process.stdout.write(`holds ${heapUsed + external} bytes\n`)
  }, 100)
})
