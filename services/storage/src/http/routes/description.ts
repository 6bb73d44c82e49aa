import { z } from 'zod'
import { json } from '../answers.ts'
import { type Route, route } from '../route.ts'

const anything = z.record(z.string(), z.unknown())

/** What is served here, for programs. It is of nobody, and says nothing that is not in the documentation. */
export const descriptionRoute = (description: () => Record<string, unknown>): Route =>
  route({
    method: 'GET',
    path: '/chat/openapi.json',
    name: 'readDescription',
    summary: 'This description.',
    access: 'anybody',
    answer: json(anything),
    refusals: [],
    handle: async () => description(),
  })
