import { describe } from 'vitest'
import { aborts } from './golden/aborts.ts'
import { answers } from './golden/answers.ts'
import { faults } from './golden/faults.ts'
import type { Differs, Open } from './golden/opened.ts'
import { requests } from './golden/requests.ts'
import { secrets } from './golden/secrets.ts'

export { type Differs, KEY, type Open, type Opened } from './golden/opened.ts'

/** Everything that holds for a way to a model, whoever the vendor is. */
export function describeProvider(name: string, open: Open, differs: Differs = {}): void {
  describe(`The provider ${name}`, () => {
    requests(open, differs)
    answers(open, differs)
    faults(open)
    aborts(open)
    secrets(open)
  })
}
