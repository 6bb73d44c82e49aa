import {
  type ErrorCode,
  errorBody,
  errorCodes,
  namedBodies,
  namedMessages,
  namedRequests,
  namedShared,
  namedViews,
} from '@chatbox/protocol'
import { z } from 'zod'
import { CONTENT_TYPE, statusOf } from './errors.ts'
import type { Route } from './route.ts'

type Json = Record<string, unknown>

const COMPONENTS = { ...namedBodies, ...namedMessages, ...namedShared, ...namedViews, ...namedRequests }

/** What any route may refuse with; the rest is in its own line. */
const ALWAYS: readonly ErrorCode[] = ['invalid_frame', 'rate_limited', 'internal', 'unavailable']
const TO_USERS: readonly ErrorCode[] = ['unauthorized', 'token_expired', 'disabled']
const TO_CHANGES: readonly ErrorCode[] = ['overloaded', 'expired', 'too_large', 'invalid_json']

/** OpenAPI 3.1 of the table: the same schemas that requests are held against, and answers are typed by. */
export function openApi(table: readonly Route[]): Json {
  const schemas = components()
  const paths: Record<string, Json> = {}
  for (const line of table) {
    const path = line.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [line.method.toLowerCase()]: operation(line) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Chatbox: the REST interface for users',
      version: '1.0.0',
      description: 'What users read and change of their own conversations. Messages are sent over the WebSocket.',
    },
    // Wherever this description was read from.
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas,
      securitySchemes: { user: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  }
}

function operation(line: Route): Json {
  const changes = line.method !== 'GET'
  return {
    operationId: line.name,
    summary: line.summary,
    security: line.access === 'user' ? [{ user: [] }] : [],
    parameters: [
      ...parametersOf(line.params, 'path'),
      ...parametersOf(line.query, 'query'),
      ...(changes ? [IDEMPOTENCY_KEY] : []),
    ],
    ...(line.body && {
      requestBody: {
        required: !line.body.safeParse({}).success,
        content: { 'application/json': { schema: schemaOf(line.body) } },
      },
    }),
    responses: {
      [line.answer.status]: {
        description: line.summary,
        ...(line.answer.status === 200 && { content: contentOf(line) }),
      },
      ...(line.body && {
        [statusOf('invalid_frame', CONTENT_TYPE)]: refusalWith(['invalid_frame']),
      }),
      ...refusalsOf([
        ...ALWAYS,
        ...(line.access === 'user' ? TO_USERS : []),
        ...(changes ? TO_CHANGES : []),
        ...line.refusals,
      ]),
    },
  }
}

const IDEMPOTENCY_KEY: Json = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'Makes asking again safe: the same request under the same key is done once, and is answered alike for 10 minutes.',
  schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,128}$' },
}

function parametersOf(schema: z.ZodType | undefined, where: 'path' | 'query'): Json[] {
  if (!schema) return []
  const { properties = {}, required = [] } = schemaOf(schema) as { properties?: Json; required?: string[] }
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    schema: property,
  }))
}

const contentOf = ({ answer }: Route): Json =>
  Object.fromEntries(
    Object.entries(answer.content).map(([type, schema]) => [
      type,
      { schema: schema ? schemaOf(schema) : { type: 'string' } },
    ]),
  )

function refusalsOf(codes: readonly ErrorCode[]): Json {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of new Set(codes)) byStatus.set(statusOf(code), [...(byStatus.get(statusOf(code)) ?? []), code])
  return Object.fromEntries([...byStatus].map(([status, known]) => [status, refusalWith(known)]))
}

const refusalWith = (codes: readonly ErrorCode[]): Json => ({
  description: codes.map((code) => `\`${code}\`: ${errorCodes[code].message}`).join('\n\n'),
  ...(codes.includes('rate_limited') && {
    headers: { 'Retry-After': { description: 'In seconds.', schema: { type: 'integer' } } },
  }),
  content: { 'application/json': { schema: schemaOf(errorBody) } },
})

const nameOf = new Map<z.ZodType, string>(Object.entries(COMPONENTS).map(([name, schema]) => [schema, name]))
const reference = (name: string): string => `#/components/schemas/${name}`

/** A schema that has a name is referred to by it. */
function schemaOf(schema: z.ZodType): Json {
  const name = nameOf.get(schema)
  if (name !== undefined) return { $ref: reference(name) }
  const { $schema, ...json } = z.toJSONSchema(schema, { io: 'input', override })
  return json
}

function components(): Json {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(COMPONENTS)) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, { io: 'input', uri: reference, override })
  return Object.fromEntries(Object.entries(schemas).map(([id, { $schema, $id, ...schema }]) => [id, schema]))
}

/** What zod cannot say itself, such as limits in bytes, stands beside the schema. */
const override = ({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodType; jsonSchema: Json }): void =>
  void Object.assign(jsonSchema, z.globalRegistry.get(zodSchema))
