import { foreground } from '../../lib/foreground.mjs'

const [onePressMs, ...args] = process.argv.slice(2)
process.exitCode = await foreground(args, {}, Number(onePressMs))
