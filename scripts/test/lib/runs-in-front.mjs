import { foreground } from '../../lib/foreground.mjs'

process.exitCode = await foreground(process.argv.slice(2))
