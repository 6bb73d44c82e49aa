export { killAll, type RunningProcess, type RunOptions, runNode } from './run.ts'
