import MarkdownIt, { type Token } from 'markdown-it'

/**
 * Markdown as models write it, by a list of what is wanted: no raw HTML, and no link references, because text far below
 * would then decide where a link further up leads.
 */
const md = new MarkdownIt('zero', { html: false, linkify: true, maxNesting: 20 })

md.enable([
  'blockquote',
  'code',
  'fence',
  'heading',
  'hr',
  'lheading',
  'list',
  'table',
  'autolink',
  'backticks',
  'emphasis',
  'entity',
  'escape',
  'image',
  'link',
  'newline',
  'strikethrough',
  'linkify',
])

// Bare addresses become links only where they are written in full.
md.linkify
  .set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false })
  .add('ftp:', null)
  .add('mailto:', null)
  .add('//', null)

// Every well-formed link becomes a token; which of them may be followed is for `safeLink` to say, in one place.
md.validateLink = () => true
md.normalizeLink = (url) => url

export const parse = (text: string): Token[] => md.parse(text, {})

/** As the parser itself sees line ends, so that its line numbers are ours. */
export const normaliseLines = (text: string): string => text.replace(/\r\n?/g, '\n')
