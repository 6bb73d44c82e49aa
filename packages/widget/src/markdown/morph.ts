/**
 * Makes the children of `target` from the nth on like those of `wanted` and touches only what differs, so that a selection, a scrolled
 * code block and a focused button survive while the text around them grows. Takes nodes out of `wanted`.
 */
export function morphChildren(target: Node, wanted: Node, from = 0): void {
  const fresh = [...wanted.childNodes]
  for (const [index, node] of fresh.entries()) {
    const old = target.childNodes[from + index]
    if (!old) target.appendChild(node)
    else if (!morph(old, node)) target.replaceChild(node, old)
  }
  while (target.childNodes.length > from + fresh.length) target.lastChild?.remove()
}

/** False when the old node can't become the new one. */
function morph(old: Node, fresh: Node): boolean {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) return false
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue
    return true
  }
  if (!(old instanceof Element && fresh instanceof Element)) return false
  if (!sameAttributes(old, fresh)) return false
  // Its label may say "Copied" just now.
  if (old.className !== 'cb-copy') morphChildren(old, fresh)
  return true
}

const sameAttributes = (a: Element, b: Element): boolean =>
  a.attributes.length === b.attributes.length &&
  [...a.attributes].every(({ name, value }) => b.getAttribute(name) === value)
