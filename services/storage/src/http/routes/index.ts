import { openApi } from '../openapi.ts'
import type { Route } from '../route.ts'
import { changingRoutes } from './changing.ts'
import { descriptionRoute } from './description.ts'
import { exportRoutes } from './export.ts'
import { feedbackRoutes } from './feedback.ts'
import type { RestDeps } from './parts.ts'
import { readingRoutes } from './reading.ts'
import { shareRoutes } from './share.ts'

/** Every route there is. */
export function routeTable(deps: RestDeps): readonly Route[] {
  const table: Route[] = [
    ...readingRoutes(deps),
    ...changingRoutes(deps),
    ...feedbackRoutes(deps),
    ...shareRoutes(deps),
    ...exportRoutes(deps),
    descriptionRoute(() => description),
  ]
  const description = openApi(table)
  return table
}
