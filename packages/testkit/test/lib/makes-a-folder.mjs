import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../../dist/folders/index.js'

const folder = temporaryFolder('made')
writeFileSync(join(folder, 'file'), 'something')
console.log(`made ${folder}`)
if (process.argv[2] === 'stay') setInterval(() => undefined, 1_000)
