import type { Token } from 'markdown-it'
import { codeBlock } from './code-block.ts'
import { safeLink } from './links.ts'

/** Tokens → nodes, made one by one from this list alone: what is not named here becomes text or nothing. */
export function render(tokens: readonly Token[], document: Document): DocumentFragment {
  const root = document.createDocumentFragment()
  const open: Node[] = [root]
  const parent = (): Node => open[open.length - 1] ?? root

  for (const token of tokens) {
    if (token.type === 'inline') renderInline(token.children ?? [], parent(), document)
    else if (token.nesting === -1) open.pop()
    else {
      const node = token.hidden ? undefined : blockOf(token, document)
      if (node) parent().appendChild(node.outer)
      // A token that opens something always gets its place, so that the one that closes it closes nothing else.
      if (token.nesting === 1) open.push(node?.inner ?? parent())
    }
  }
  return root
}

interface Block {
  readonly outer: Node
  /** Where the children go. */
  readonly inner: Node
}

// The message already stands under the page's and the conversation's headings.
const HEADINGS: Readonly<Record<string, string>> = { h1: 'h3', h2: 'h4', h3: 'h5', h4: 'h6', h5: 'h6', h6: 'h6' }
const SIMPLE: Readonly<Record<string, string>> = {
  paragraph_open: 'p',
  blockquote_open: 'blockquote',
  bullet_list_open: 'ul',
  list_item_open: 'li',
  thead_open: 'thead',
  tbody_open: 'tbody',
  tr_open: 'tr',
  hr: 'hr',
}

function blockOf(token: Token, document: Document): Block | undefined {
  const simple = SIMPLE[token.type]
  if (simple) return only(document.createElement(simple))
  switch (token.type) {
    case 'heading_open':
      return only(document.createElement(HEADINGS[token.tag] ?? 'h6'))
    case 'ordered_list_open':
      return only(orderedList(token, document))
    case 'fence':
    case 'code_block':
      return only(codeBlock(token.content, token.info, document))
    case 'table_open':
      return table(document)
    case 'th_open':
    case 'td_open':
      return only(cell(token, document))
    default:
      return token.nesting === 0 && token.content ? only(document.createTextNode(token.content)) : undefined
  }
}

const attribute = (token: Token, name: string): string => String(token.attrs?.find(([own]) => own === name)?.[1] ?? '')

const only = (node: Node): Block => ({ outer: node, inner: node })

function orderedList(token: Token, document: Document): HTMLElement {
  const list = document.createElement('ol')
  const start = Number(attribute(token, 'start'))
  if (Number.isSafeInteger(start) && start > 1) list.setAttribute('start', String(start))
  return list
}

/** A wide table scrolls by itself, by keyboard too, and not the page. */
function table(document: Document): Block {
  const outer = document.createElement('div')
  outer.className = 'cb-table'
  outer.setAttribute('role', 'group')
  outer.setAttribute('aria-label', 'Table')
  outer.setAttribute('tabindex', '0')
  const inner = outer.appendChild(document.createElement('table'))
  return { outer, inner }
}

function cell(token: Token, document: Document): HTMLElement {
  const element = document.createElement(token.type === 'th_open' ? 'th' : 'td')
  const align = /^text-align:(center|right)$/.exec(attribute(token, 'style'))?.[1]
  if (align) element.className = `cb-${align}`
  return element
}

const INLINE: Readonly<Record<string, string>> = { em_open: 'em', strong_open: 'strong', s_open: 's' }

function renderInline(tokens: readonly Token[], into: Node, document: Document): void {
  const open: Node[] = [into]
  const parent = (): Node => open[open.length - 1] ?? into

  for (const token of tokens) {
    if (token.nesting === 1) open.push(parent().appendChild(markOf(token, document)))
    else if (token.nesting === -1) open.pop()
    else parent().appendChild(leafOf(token, document))
  }
}

function markOf(token: Token, document: Document): HTMLElement {
  const element = token.type === 'link_open' ? linkOf(token, document) : undefined
  return element ?? document.createElement(INLINE[token.type] ?? 'span')
}

function linkOf(token: Token, document: Document): HTMLElement | undefined {
  const href = safeLink(attribute(token, 'href'))
  if (href === undefined) return undefined
  const link = document.createElement('a')
  link.setAttribute('href', href)
  // The text may say anything; this says where it leads.
  link.setAttribute('title', href)
  link.setAttribute('target', '_blank')
  link.setAttribute('rel', 'noopener noreferrer nofollow')
  return link
}

function leafOf(token: Token, document: Document): Node {
  switch (token.type) {
    case 'softbreak':
    case 'hardbreak':
      return document.createElement('br')
    case 'code_inline': {
      const code = document.createElement('code')
      code.textContent = token.content
      return code
    }
    case 'image': {
      // Never loaded: only what it was said to show.
      const alt = document.createElement('span')
      alt.className = 'cb-image'
      alt.textContent = plain(token.children ?? []) || 'image'
      return alt
    }
    default:
      return document.createTextNode(token.content)
  }
}

const plain = (tokens: readonly Token[]): string =>
  tokens.map((token) => (token.type === 'image' ? plain(token.children ?? []) : token.content)).join('')
