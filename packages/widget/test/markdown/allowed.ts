const TAGS = new Set(
  'p h3 h4 h5 h6 ul ol li blockquote div span pre code button hr table thead tbody tr th td em strong s a br'.split(
    ' ',
  ),
)
const ATTRIBUTES = new Set('class href title target rel start type tabindex role aria-label'.split(' '))
const CLASSES = new Set(['cb-code', 'cb-code-head', 'cb-copy', 'cb-table', 'cb-image', 'cb-center', 'cb-right'])

/** What is below `root` and must not be there. */
export function forbidden(root: Element): string[] {
  const found: string[] = []
  for (const element of root.querySelectorAll('*')) {
    const tag = element.localName
    if (!TAGS.has(tag) || element.namespaceURI !== 'http://www.w3.org/1999/xhtml') found.push(`<${tag}>`)
    for (const { name, value } of element.attributes) {
      if (!ATTRIBUTES.has(name)) found.push(`<${tag} ${name}>`)
      if (name === 'class' && !CLASSES.has(value)) found.push(`<${tag} class="${value}">`)
    }
    if (tag === 'a') found.push(...faultsOf(element))
    else if (element.hasAttribute('href') || element.hasAttribute('target')) found.push(`<${tag} href>`)
  }
  return found
}

function faultsOf(link: Element): string[] {
  const found: string[] = []
  const href = link.getAttribute('href') ?? ''
  if (!/^(https?:\/\/|mailto:)[^\s<>"]*$/.test(href)) found.push(`href ${href}`)
  if (/^https?:\/\/[^/?#]*@/.test(href)) found.push(`credentials ${href}`)
  if (link.getAttribute('rel') !== 'noopener noreferrer nofollow') found.push('rel')
  if (link.getAttribute('target') !== '_blank') found.push('target')
  if (link.querySelector('a, button') || link.parentElement?.closest('a')) found.push('nested link')
  return found
}
