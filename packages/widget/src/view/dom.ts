export type Child = Node | string | undefined

export interface Props {
  readonly class?: string
  readonly text?: string
  readonly hidden?: boolean
  readonly attributes?: Readonly<Record<string, string>>
  readonly click?: (event: MouseEvent) => void
}

/** An element, made without any HTML text, so that a page may forbid such (Trusted Types). */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  if (props.class) element.className = props.class
  if (props.text !== undefined) element.textContent = props.text
  if (props.hidden) element.hidden = true
  for (const [name, value] of Object.entries(props.attributes ?? {})) element.setAttribute(name, value)
  const { click } = props
  if (click) (element as HTMLElement).addEventListener('click', click)
  for (const child of children) if (child !== undefined) element.append(child)
  return element
}

export function button(label: string, click: () => void, props: Props = {}, ...children: readonly Child[]) {
  const { attributes, ...rest } = props
  return h(
    'button',
    { class: 'cb-button', click, ...rest, attributes: { type: 'button', ...attributes } },
    ...(children.length > 0 ? children : [label]),
  )
}

/** A button that shows an icon only: its label is for those who can't see it, and a tip for those who can. */
export const iconButton = (label: string, icon: SVGElement, click: () => void, props: Props = {}) =>
  button(
    label,
    click,
    { class: 'cb-icon-button', ...props, attributes: { 'aria-label': label, title: label, ...props.attributes } },
    icon,
  )

export const hiddenText = (text: string) => h('span', { class: 'cb-hidden', text })

/** Leaves the node alone when it says so already, so that a selection in it survives. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text
}

export function setAttribute(element: Element, name: string, value: string | undefined): void {
  if (value === undefined) element.removeAttribute(name)
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value)
}
