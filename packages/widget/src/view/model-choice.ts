import type { ModelView } from '@chatbox/protocol'
import { type Model, sessionOf } from '../store/model.ts'
import { h } from './dom.ts'

export interface ModelChoice {
  readonly element: HTMLElement
  update(model: Model): void
}

/** Only where there is a choice (M6a). */
export function createModelChoice(choose: (modelId: string) => void): ModelChoice {
  const select = h('select', { class: 'cb-select', attributes: { 'aria-label': 'Model' } })
  select.addEventListener('change', () => choose(select.value))
  let offered: readonly ModelView[] = []

  return {
    element: select,
    update(model) {
      const { models, open, newModelId } = model
      if (models !== offered) {
        offered = models
        select.replaceChildren(
          ...models.map(({ id, label }) => h('option', { text: label, attributes: { value: id } })),
        )
      }
      select.hidden = models.length < 2
      const chosen = sessionOf(model, open.sid)?.modelId ?? newModelId ?? models.find((one) => one.default)?.id
      if (chosen !== undefined && select.value !== chosen) select.value = chosen
    },
  }
}
