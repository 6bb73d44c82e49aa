import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

// By address, because what is built need not be there when types are checked.
const { temporaryFolder } = await import(new URL('../../dist/folders/index.js', import.meta.url).href)

const folder = temporaryFolder('made')
writeFileSync(join(folder, 'file'), 'something')
console.log(`made ${folder}`)
if (process.argv[2] === 'stay') setInterval(() => undefined, 1_000)
