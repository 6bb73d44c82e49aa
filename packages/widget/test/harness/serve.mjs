import { startHarness } from './server.mjs'

// To look at the widget while working on it: node test/harness/serve.mjs [port]
const { url } = await startHarness(Number(process.argv[2] ?? 4567))
console.log(url)
