// @vitest-environment happy-dom
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from '../../src/markdown/parse.ts'
import { render } from '../../src/markdown/render.ts'
import { createMarkdownView } from '../../src/markdown/view.ts'
import { forbidden } from './allowed.ts'
import { hostile } from './hostile.ts'
import { anyMarkdown } from './text.ts'

const rendered = (text: string): HTMLElement => {
  const root = document.createElement('div')
  root.append(render(parse(text), document))
  return root
}
const viewed = (text: string): HTMLElement => {
  const root = document.createElement('div')
  createMarkdownView(root).update(text)
  return root
}

describe('what a model says', () => {
  it.each(hostile.map((text, n) => ({ n, text })))(
    'becomes nothing but harmless elements at every prefix (hostile $n)',
    ({ text }) => {
      const growing = document.createElement('div')
      const view = createMarkdownView(growing)
      for (let end = 0; end <= text.length; end++) {
        view.update(text.slice(0, end))
        expect(forbidden(growing)).toEqual([])
      }
      expect(growing.innerHTML).toBe(viewed(text).innerHTML)
    },
  )

  it('becomes nothing but harmless elements, whatever it is', () => {
    fc.assert(
      fc.property(anyMarkdown, (text) => {
        expect(forbidden(viewed(text))).toEqual([])
      }),
      { numRuns: 2_000 },
    )
  })

  it('looks the same whether it came at once or in pieces', () => {
    fc.assert(
      fc.property(anyMarkdown, fc.array(fc.nat(), { maxLength: 30 }), (text, cuts) => {
        const growing = document.createElement('div')
        const view = createMarkdownView(growing)
        for (const end of cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b)) {
          view.update(text.slice(0, end))
          expect(growing.innerHTML).toBe(viewed(text.slice(0, end)).innerHTML)
        }
        view.update(text)
        expect(growing.innerHTML).toBe(viewed(text).innerHTML)
        expect(growing.innerHTML).toBe(rendered(text.replace(/\r\n?/g, '\n')).innerHTML)
      }),
      { numRuns: 2_000 },
    )
  })

  it('may be forgotten and begin anew', () => {
    const root = document.createElement('div')
    const view = createMarkdownView(root)
    view.update('# One\n\ntwo\n\n- three\n\nfour\n\nfive')
    view.update('# One\n\nother')
    expect(root.innerHTML).toBe(viewed('# One\n\nother').innerHTML)
  })

  it('loads no image, but says what it was to show', () => {
    const root = viewed(
      '![a *red* cat](https://evil.example/cat.png) and [![dog](https://x.example/d.png)](https://x.example)',
    )
    expect(root.querySelector('img')).toBeNull()
    expect(root.textContent).toBe('a red cat and dog')
  })

  it('shows raw HTML as the text that it is', () => {
    expect(viewed('a <b>b</b> <img src=x>').textContent).toBe('a <b>b</b> <img src=x>')
  })

  it('keeps the words of a link that may not be followed', () => {
    const root = viewed('[here](javascript:alert(1)) and [there](/relative)')
    expect(root.querySelector('a')).toBeNull()
    expect(root.textContent).toBe('here and there')
  })

  it('links to web and mail addresses, and says where they lead', () => {
    const links = [
      ...viewed('[a](https://x.example/p) <mailto:a@b.example> https://bare.example').querySelectorAll('a'),
    ]
    expect(links.map((link) => link.getAttribute('href'))).toEqual([
      'https://x.example/p',
      'mailto:a@b.example',
      'https://bare.example/',
    ])
    expect(links.map((link) => link.title)).toEqual(links.map((link) => link.getAttribute('href')))
  })

  it('has headings, lists, tables, quotes and code', () => {
    const root = viewed(
      '# H\n\n3. a\n   - b\n\n> q\n\n| x | y |\n|---|--:|\n| 1 | 2 |\n\n```ts\nlet a = 1\n```\n\n`c` **b** _i_ ~~s~~',
    )
    expect(root.querySelector('h3')?.textContent).toBe('H')
    expect(root.querySelector('ol')?.getAttribute('start')).toBe('3')
    expect(root.querySelector('ol ul li')?.textContent).toBe('b')
    expect(root.querySelector('blockquote')?.textContent).toBe('q')
    expect(root.querySelector('td.cb-right')?.textContent).toBe('2')
    expect(root.querySelector('pre code')?.textContent).toBe('let a = 1')
    expect(root.querySelector('.cb-code-head span')?.textContent).toBe('ts')
    expect([...root.querySelectorAll('p > :is(code, strong, em, s)')].map((e) => e.textContent)).toEqual([
      'c',
      'b',
      'i',
      's',
    ])
  })
})

describe('an answer that grows', () => {
  it('leaves the nodes of settled blocks alone', () => {
    const root = document.createElement('div')
    const view = createMarkdownView(root)
    view.update('one\n\ntwo\n\nthree\n\nfo')
    const [first, second] = root.children
    view.update('one\n\ntwo\n\nthree\n\nfour\n\n- five')
    expect(root.children[0]).toBe(first)
    expect(root.children[1]).toBe(second)
    expect(root.children).toHaveLength(5)
  })

  it('keeps the node of a code block that is being written, and what its button says', () => {
    const root = document.createElement('div')
    const view = createMarkdownView(root)
    view.update('```js\na')
    const button = root.querySelector('button') as HTMLElement
    button.textContent = 'Copied'
    view.update('```js\na\nb')
    expect(root.querySelector('button')).toBe(button)
    expect(button.textContent).toBe('Copied')
    expect(root.querySelector('code')?.textContent).toBe('a\nb')
  })
})
