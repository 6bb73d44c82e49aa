import { morphChildren } from './morph.ts'
import { normaliseLines, parse } from './parse.ts'
import { render } from './render.ts'

export interface MarkdownView {
  /** Shows this text. Cheap when it only grew: blocks that can't change any more are neither read nor touched again. */
  update(text: string): void
}

/**
 * More text can turn the last block into another, or into a part of the one before (`2` below a list becomes its next
 * item), but reaches no further up. So all but the last two blocks stay as they are.
 */
const UNSETTLED_BLOCKS = 2

export function createMarkdownView(container: HTMLElement): MarkdownView {
  /** The text of the settled blocks, and how many nodes they made. */
  let settled = ''
  let nodes = 0

  return {
    update(raw) {
      const text = normaliseLines(raw)
      if (!text.startsWith(settled)) {
        settled = ''
        nodes = 0
      }
      const tail = text.slice(settled.length)
      const tokens = parse(tail)
      morphChildren(container, render(tokens, container.ownerDocument), nodes)

      const blocks = tokens.filter((token) => token.level === 0 && token.nesting >= 0)
      const firstUnsettled = blocks.at(-UNSETTLED_BLOCKS)
      const line = blocks.length > UNSETTLED_BLOCKS ? (firstUnsettled?.map?.[0] ?? 0) : 0
      if (line > 0) {
        settled += tail.slice(0, startOfLine(tail, line))
        nodes += blocks.length - UNSETTLED_BLOCKS
      }
    },
  }
}

function startOfLine(text: string, line: number): number {
  let at = 0
  for (let n = 0; n < line; n++) at = text.indexOf('\n', at) + 1
  return at
}
