import { sanitise } from '@chatbox/protocol'
import fc from 'fast-check'
import MarkdownIt from 'markdown-it'
import { describe, expect, it } from 'vitest'
import { markdownHead, markdownOf, paragraphs } from '../src/http/routes/markdown.ts'

/** As permissive as readers are: raw HTML, tables, strikethrough, links where a text looks like one. */
const reader = new MarkdownIt({ html: true, linkify: false })

/** What a reader shows of a text, if it shows nothing but paragraphs and line breaks. */
function shown(markdown: string): string {
  return reader
    .parse(markdown, {})
    .map((token) => {
      if (token.type === 'paragraph_open') return ''
      if (token.type === 'paragraph_close') return '\n\n'
      if (token.type !== 'inline') throw new Error(`${token.type} in ${JSON.stringify(markdown)}`)
      return (token.children ?? [])
        .map((child) => {
          if (child.type === 'text' || child.type === 'text_special') return child.content
          if (child.type === 'hardbreak') return '\n'
          throw new Error(`${child.type} in ${JSON.stringify(markdown)}`)
        })
        .join('')
    })
    .join('')
    .trimEnd()
    .replaceAll('\t', '    ')
    .replace(/[^\S\n]/gu, ' ')
}

/** What must be seen of it: all but how much white space stands between lines and at their ends. */
const seen = (text: string): string =>
  sanitise(text)
    .replaceAll('\t', '    ')
    .split('\n')
    .map((line) => line.replace(/\s+$/u, '').replace(/\s/gu, ' '))
    .join('\n')
    .replace(/\n{2,}/g, '\n\n')

const SNIPPETS = [
  ...[
    '# ',
    '## ',
    '### You',
    '===',
    '---',
    '***',
    '___',
    '- ',
    '* ',
    '+ ',
    '1. ',
    '23) ',
    '> ',
    '>> ',
    '    code',
    '\tcode',
  ],
  ...[
    '```js',
    '~~~',
    '`code`',
    '``',
    '**bold**',
    '_em_',
    '__b__',
    '~~gone~~',
    '[x](http://a.b)',
    '![i](http://a.b/i.png)',
  ],
  ...['[x]: http://a.b', '[x]', '<b>', '</b>', '<script>', '<!-- x', '-->', '<http://a.b>', '&amp;', '&#35;', '&nbsp;'],
  ...[
    '| a | b |',
    '|---|---|',
    ':-',
    ':--:',
    '\\',
    '\\\\',
    '\\#',
    '  ',
    '\n',
    '\n\n',
    '\n   ',
    '$x$',
    '^1',
    '[^1]: note',
    '{: .x }',
  ],
  ...[
    '- [ ] task',
    '<div>\n',
    '\u00a0',
    '\u2028',
    'Setext\n===',
    'Setext\n---',
    'a  \nb',
    'a\\\nb',
    '0. x',
    '1234567890. x',
  ],
]

describe('a text in Markdown', () => {
  it.each(SNIPPETS)('%j is a text', (snippet) => {
    for (const text of [snippet, `before\n${snippet}\nafter`, `before\n\n${snippet}x`, `  ${snippet}`]) {
      expect(shown(paragraphs(text))).toBe(seen(text))
    }
  })

  it('whatever it is made of, is a text, and all of it is there', () => {
    const piece = fc.oneof(fc.constantFrom(...SNIPPETS), fc.string({ unit: 'binary', maxLength: 8 }))
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('')
        expect(shown(paragraphs(text))).toBe(seen(text))
      }),
      { numRuns: 3_000 },
    )
  })

  it('stays in its own section, as do names', () => {
    const nasty = fc.array(fc.constantFrom(...SNIPPETS), { maxLength: 8 }).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(nasty, nasty, nasty, nasty, (text, name, model, file) => {
        const session = {
          ...{
            id: 's',
            name,
            modelId: 'demo',
            startedAt: 0,
            lastActivity: 0,
            messageCount: 2,
            totalTokens: 0,
            totalCost: 0,
          },
          ...{ readSeq: 0, unreadCount: 0, helpRequested: false, rev: 1 },
        }
        const document = [
          markdownHead(session, 0),
          markdownOf({ sid: 's', seq: 1, ts: 0, author: 'admin', kind: 'text', text, name, files: [{ fileId: file }] }),
          markdownOf({
            ...{ sid: 's', seq: 2, ts: 0, author: 'assistant', kind: 'text', text, answerId: 'a', status: 'failed' },
            modelId: model,
          }),
        ].join('')
        const blocks = reader.parse(document, {}).filter(({ level, nesting }) => level === 0 && nesting >= 0)
        const kinds = blocks.map(({ type, tag }) => `${type} ${tag}`)
        expect(kinds.filter((kind) => kind !== 'paragraph_open p')).toEqual([
          'heading_open h1',
          'heading_open h2',
          'heading_open h2',
        ])
      }),
      { numRuns: 1_000 },
    )
  })
})
