import { parseAst } from 'vitest/node'

/**
 * @typedef {object} Import
 * @property {string | undefined} specifier undefined when it is worked out at run time
 * @property {boolean} types only types are taken, nothing is left of it in the built file
 * @property {number} line
 */

/** @typedef {{ type: string, start: number } & Record<string, unknown>} Node */

/**
 * Every import of a TypeScript file, in whatever form: declarations, re-exports, import(), require() and import types.
 * @param {string} source
 * @param {string} file
 * @returns {Import[]}
 */
export function importsOf(source, file) {
  /** @type {Import[]} */
  const found = []
  visit(/** @type {Node} */ (/** @type {unknown} */ (parseAst(source, { lang: 'ts' }, file))), (node) => {
    const from = origin(node)
    if (from === undefined) return
    const { specifier, types } = from
    found.push({ specifier, types, line: source.slice(0, node.start).split('\n').length })
  })
  return found
}

/**
 * @param {Node} node
 * @returns {{ specifier: string | undefined, types: boolean } | undefined}
 */
function origin(node) {
  switch (node.type) {
    case 'ImportDeclaration':
      return { specifier: text(node.source), types: node.importKind === 'type' }
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
      return node.source ? { specifier: text(node.source), types: node.exportKind === 'type' } : undefined
    case 'ImportExpression':
      return { specifier: text(node.source), types: false }
    case 'TSImportType':
      return { specifier: text(node.source ?? node.argument), types: true }
    case 'TSExternalModuleReference':
      return { specifier: text(node.expression), types: false }
    case 'CallExpression':
      return isRequire(node)
        ? { specifier: text(/** @type {unknown[]} */ (node.arguments)[0]), types: false }
        : undefined
    default:
      return undefined
  }
}

/** @param {Node} node */
function isRequire(node) {
  const callee = /** @type {Node} */ (node.callee)
  return callee.type === 'Identifier' && callee.name === 'require'
}

/**
 * The text of a literal; a literal inside another node is found too, as import types wrap theirs.
 * @param {unknown} node
 * @returns {string | undefined}
 */
function text(node) {
  const { value, literal } = /** @type {{ value?: unknown, literal?: unknown }} */ (node ?? {})
  if (typeof value === 'string') return value
  return literal === undefined ? undefined : text(literal)
}

/**
 * @param {Node} node
 * @param {(node: Node) => void} seen
 */
function visit(node, seen) {
  seen(node)
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child?.type === 'string') visit(child, seen)
    }
  }
}
