import { z } from 'zod'
import { clientFrames } from './client-frames.ts'
import { defaultLimits } from './limits.ts'
import { namedBodies, namedMessages, namedShared, namedViews } from './named.ts'
import { serverFrames } from './server-frames.ts'

export type JsonSchema = Record<string, unknown>

/** The wire as JSON Schema 2020-12, by the name of the file that holds it; written by `pnpm run schema`. */
export function publishedSchemas(): Record<'client' | 'server' | 'rest', JsonSchema> {
  const client = clientFrames(defaultLimits)
  return {
    client: document('client', 'A frame to the server, with the default limits', {
      // As read: what stands before a pipe (see `metadataOf`) has no words in JSON Schema. Closed, being strict.
      definitions: definitions(client, 'output'),
      anyOf: Object.keys(client),
    }),
    server: document('server', 'A frame to the client. Ignore what you do not know', {
      // As a reader must accept it: open, so that the protocol can grow by adding.
      definitions: definitions({ ...serverFrames, ...namedViews }, 'input'),
      anyOf: Object.keys(serverFrames),
    }),
    rest: document('rest', 'A body that the users’ REST answers with. Ignore what you do not know', {
      definitions: definitions({ ...namedBodies, ...namedMessages, ...namedShared, ...namedViews }, 'input'),
      anyOf: Object.keys(namedBodies),
    }),
  }
}

interface Parts {
  readonly definitions: Record<string, JsonSchema>
  /** Names of the definitions of which a document may be one. */
  readonly anyOf: readonly string[]
}

function document(name: string, title: string, { definitions, anyOf }: Parts): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `urn:chatbox:protocol:1:${name}`,
    title,
    anyOf: anyOf.map((definition) => ({ $ref: reference(definition) })),
    $defs: definitions,
  }
}

const reference = (name: string): string => `#/$defs/${name}`

/** These schemas, naming each other where one holds another. */
function definitions(named: Record<string, z.ZodType>, io: 'input' | 'output'): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, {
    io,
    uri: reference,
    // What zod cannot say itself, such as limits in bytes, stands beside the schema.
    override: ({ zodSchema, jsonSchema }) => void Object.assign(jsonSchema, z.globalRegistry.get(zodSchema)),
  })
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema, $id, ...schema }]) => [id, schema as JsonSchema]),
  )
}
