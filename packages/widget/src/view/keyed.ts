export interface Item<T> {
  readonly element: HTMLElement
  update(value: T): void
  close?(): void
}

export interface KeyedList<T> {
  update(values: readonly T[]): void
  close(): void
}

/** Children of `container`, one per key: kept as long as their key is there, touched only when their value changed. */
export function keyedList<T>(
  container: HTMLElement,
  keyOf: (value: T) => string,
  create: (value: T) => Item<T>,
): KeyedList<T> {
  let shown = new Map<string, { item: Item<T>; value: T | undefined }>()

  return {
    update(values) {
      const next: typeof shown = new Map()
      for (const value of values) {
        const key = keyOf(value)
        const known = shown.get(key) ?? { item: create(value), value: undefined }
        if (known.value !== value) known.item.update(value)
        next.set(key, { item: known.item, value })
      }
      for (const [key, { item }] of shown) {
        if (next.has(key)) continue
        item.close?.()
        item.element.remove()
      }
      let place = container.firstChild
      for (const { item } of next.values()) {
        // Moving a node takes the focus from it, so only those that are out of place are moved.
        if (item.element === place) place = place.nextSibling
        else container.insertBefore(item.element, place)
      }
      shown = next
    },
    close() {
      for (const { item } of shown.values()) item.close?.()
    },
  }
}
