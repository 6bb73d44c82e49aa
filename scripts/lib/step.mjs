/** What a command failed with; its text is all that a reader gets, so it says everything. */
export class StepFailed extends Error {}

/**
 * Says in one line what is being done and how long it took. A failure is told with its whole output.
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(what, work) {
  const start = performance.now()
  process.stderr.write(`${what} … `)
  try {
    const result = await work()
    process.stderr.write(`${seconds(start)}\n`)
    return result
  } catch (error) {
    process.stderr.write(`failed after ${seconds(start)}\n`)
    throw error
  }
}

/**
 * Runs a command of this repository: a failed set-up ends it with what went wrong, and no stack where the text says all.
 * @param {() => Promise<number>} command its exit code
 */
export async function main(command) {
  try {
    process.exitCode = await command()
  } catch (error) {
    console.error(error instanceof StepFailed ? error.message : error)
    process.exitCode = 1
  }
}

/** @param {number} start */
function seconds(start) {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`
}
