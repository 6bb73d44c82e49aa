/** Who may import whom; the rules are in arrows/rules.mjs. @type {import('./check.mjs').Check} */
export const arrows = {
  name: 'Imports between packages',
  async faults(root) {
    // Loaded late: its parser is there only once the dependencies are installed.
    const { forbiddenArrows } = await import('../arrows/check.mjs')
    return forbiddenArrows(root)
  },
}
