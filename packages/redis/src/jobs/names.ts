import type { Job } from '@chatbox/core'
import type { Keys } from '../keys.ts'

export const QUEUE = 'answers'

/** Jobs of one name are one job. */
export const idOf = ({ answerId, n }: Job): string => `${answerId}-${n}`

/** As BullMQ names them; the prefix is a hash tag, so that all of them are on one server. */
export const keyOf = (keys: Keys, what: string): string => `${keys.jobs}:${QUEUE}:${what}`
