// Read before anything is installed, by whatever Node there is: nothing newer than Node 14 may appear here.

/**
 * @typedef {object} Machine
 * @property {string} node version without the leading v
 * @property {string} abi process.versions.modules
 * @property {string} platform
 * @property {string} arch
 * @property {string | undefined} glibc version of the C library that is loaded; undefined when it is not glibc
 */

/** The oldest Node that the project runs on, as in `engines` of package.json. */
const OLDEST_NODE = [20, 19]

/** Node's own name for each binary interface that a binary of uWebSockets.js exists for. */
const NODE_OF_ABI = { 115: 20, 120: 21, 127: 22, 137: 24, 141: 25 }

const LINUX_64 = { 115: '2.27', 120: '2.27', 127: '2.38', 137: '2.38', 141: '2.38' }
const ANY_LIBC = { 115: '', 120: '', 127: '', 137: '', 141: '' }

/**
 * What the package `uwebsockets` carries: platform, binary interface, oldest glibc.
 * @type {Record<string, Record<string, string>>}
 */
export const BINARIES = {
  'linux-x64': LINUX_64,
  'linux-arm64': LINUX_64,
  'linux-arm': { 115: '2.28', 120: '2.28' },
  'darwin-x64': ANY_LIBC,
  'darwin-arm64': ANY_LIBC,
  'win32-x64': ANY_LIBC,
}

/** @returns {Machine} */
export function thisMachine() {
  const { platform, arch, versions } = process
  const machine = { node: versions.node, abi: versions.modules, platform, arch, glibc: undefined }
  if (platform !== 'linux') return machine
  // The report would otherwise look up the names of open sockets' peers.
  Object.assign(process.report ?? {}, { excludeNetwork: true })
  const report = /** @type {any} */ (process.report?.getReport())
  return { ...machine, glibc: report?.header?.glibcVersionRuntime }
}

/**
 * One sentence that says why Chatbox can't run here and what would help, or undefined.
 * @param {Machine} machine
 */
export function platformFault(machine) {
  if (older(machine.node, OLDEST_NODE.join('.'))) {
    return `Chatbox needs Node ${OLDEST_NODE.join('.')} or newer, and this is Node ${machine.node}.`
  }
  const place = `${machine.platform}-${machine.arch}`
  const binaries = BINARIES[place]
  if (!binaries) {
    return `uWebSockets.js, which Chatbox's sockets run on, has no binary for ${place}: use one of ${Object.keys(BINARIES).join(', ')}.`
  }
  const glibc = binaries[machine.abi]
  if (glibc === undefined) {
    return `uWebSockets.js, which Chatbox's sockets run on, has no binary for Node ${machine.node} on ${place}: use Node ${nodes(binaries)}.`
  }
  if (machine.platform !== 'linux') return undefined
  if (machine.glibc === undefined) {
    return "uWebSockets.js, which Chatbox's sockets run on, needs glibc, and this system has another C library (Alpine's musl, it may be): use a system or an image based on Debian, Ubuntu or Fedora."
  }
  if (older(machine.glibc, glibc)) {
    const elsewhere = older(machine.glibc, '2.27')
      ? 'use a newer system'
      : 'use Node 20, or a newer system (Debian 13, Ubuntu 24.04)'
    return `uWebSockets.js, which Chatbox's sockets run on, needs glibc ${glibc} under Node ${machine.node}, and this system has ${machine.glibc}: ${elsewhere}.`
  }
  return undefined
}

/** Ends the process with one sentence where Chatbox can't run. */
export function requirePlatform() {
  const fault = platformFault(thisMachine())
  if (fault === undefined) return
  console.error(fault)
  process.exit(1)
}

/**
 * @param {string} version
 * @param {string} than
 */
function older(version, than) {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number))
  const at = [0, 1, 2].find((i) => (a?.[i] ?? 0) !== (b?.[i] ?? 0))
  return at !== undefined && (a?.[at] ?? 0) < (b?.[at] ?? 0)
}

/** @param {Record<string, string>} binaries */
function nodes(binaries) {
  const names = Object.entries(NODE_OF_ABI).flatMap(([abi, name]) => (binaries[abi] === undefined ? [] : [name]))
  return names.join(', ').replace(/, (\d+)$/, ' or $1')
}
