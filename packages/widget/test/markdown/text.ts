import fc from 'fast-check'
import { hostile } from './hostile.ts'

const marks = [
  ...['\n', '\n\n', '\r\n', '\r', ' ', '  ', '    ', '\t', '- ', '-', '* ', '+ ', '1. ', '2', '. ', ') ', '10) '],
  ...[
    '# ',
    '## ',
    '#',
    '> ',
    '>',
    '```',
    '```js\n',
    '~~~',
    '`',
    '``',
    '*',
    '**',
    '_',
    '~~',
    '|',
    '|-|-|',
    ' | ',
    ':-:',
  ],
  ...['---', '===', '=', '***', '![', '[', ']', '](', ')', '(', '<', '>', '"', "'", '\\', '&amp;', '&#60;', ':', '!'],
  ...[
    'https://a.example',
    'javascript:x',
    'data:x',
    '[x]: ',
    '<img src=x>',
    '<b',
    '</b>',
    'a',
    'b c',
    'word',
    '\u00e9',
    '😀',
  ],
]

const fragments = fc.array(fc.constantFrom(...marks), { maxLength: 40 }).map((parts) => parts.join(''))
const mixed = fc
  .array(fc.oneof(fragments, fc.constantFrom(...hostile), fc.string({ unit: 'binary', maxLength: 12 })), {
    maxLength: 5,
  })
  .map((parts) => parts.join('\n'))

/** Anything that a model could say, most of it with a meaning in Markdown. */
export const anyMarkdown = fc.oneof({ weight: 4, arbitrary: fragments }, { weight: 2, arbitrary: mixed })
