/**
 * @typedef {object} Check
 * @property {string} name
 * @property {(root: string) => Promise<string[]>} faults
 */

/**
 * Runs every check, so that one run tells everything that is wrong.
 * @param {readonly Check[]} checks
 * @param {string} root
 * @returns {Promise<boolean>} whether all are clean
 */
export async function runChecks(checks, root) {
  let clean = true
  for (const check of checks) {
    const start = performance.now()
    const faults = await check.faults(root)
    const took = `${((performance.now() - start) / 1000).toFixed(1)} s`
    console.log(`${faults.length === 0 ? 'ok    ' : 'FAULTY'} ${check.name} (${took})`)
    for (const fault of faults) console.log(fault)
    clean &&= faults.length === 0
  }
  return clean
}
