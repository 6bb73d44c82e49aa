import { messageQueries } from './queries/messages.ts'
import { otherQueries } from './queries/others.ts'
import { sessionQueries } from './queries/sessions.ts'

export type { AnswerPlace, Place, TurnTarget } from './queries/messages.ts'
export { hintOf, type Query } from './queries/query.ts'

/** Everything that the adapter ever asks the database; a test shows that none of it scans (D2, D4). */
export const queries = { ...sessionQueries, ...messageQueries, ...otherQueries } as const
