import type { Collection, Document } from 'mongodb'
import { hintOf, type Query } from '../../src/queries.ts'

export interface Plan {
  readonly kind: 'mongodb' | 'documentdb'
  /** Indexes that rows are found by, with bounds: one that is gone through from end to end does not count. */
  readonly indexes: readonly string[]
  readonly scans: boolean
  /** The server sorts what it has found, instead of reading it in order. */
  readonly sorts: boolean
}

export async function planOf(collection: Collection<Document>, query: Query): Promise<Plan> {
  const options = { ...hintOf(query), ...(query.sort && { sort: query.sort }) }
  const { queryPlanner } = await collection.find(query.filter, options).explain('queryPlanner')
  return queryPlanner.winningPlan ? ofMongoDb(queryPlanner.winningPlan) : ofDocumentDb(queryPlanner)
}

/** MongoDB: stages with names. */
function ofMongoDb(plan: Document): Plan {
  const stages = objectsIn(plan).filter(({ stage }) => typeof stage === 'string')
  const found = stages.filter((stage) => stage.stage === 'IXSCAN' && isBounded(stage.indexBounds))
  const byId = stages.some(({ stage }) => ['IDHACK', 'EXPRESS_IXSCAN'].includes(stage)) ? ['_id_'] : []
  return {
    kind: 'mongodb',
    indexes: [...new Set([...byId, ...found.map(({ indexName }) => indexName)])].sort(),
    scans: stages.some(({ stage }) => stage === 'COLLSCAN'),
    sorts: stages.some(({ stage }) => stage === 'SORT'),
  }
}

const isBounded = (bounds: Document): boolean =>
  !/^\[Min ?Key, Max ?Key\]$/i.test(String(Object.values(bounds)[0]?.[0]))

/** DocumentDB: plans of PostgreSQL. */
function ofDocumentDb(plan: Document): Plan {
  const nodes = objectsIn(plan).filter((node) => typeof node['Node Type'] === 'string')
  const indexed = nodes.filter((node) => node['Index Name'] !== undefined)
  const found = indexed.filter((node) => isBound(node['Index Cond']))
  return {
    kind: 'documentdb',
    indexes: [...new Set(found.map((node) => String(node['Index Name'])))].sort(),
    scans: found.length < indexed.length || nodes.some((node) => node['Node Type'] === 'Seq Scan'),
    sorts: nodes.some((node) => node['Node Type'] === 'Sort'),
  }
}

/** By something in the document, and not only by the number of its collection, which is in front of `_id`. */
const isBound = (condition: unknown): boolean => /document OPERATOR|object_id/.test(String(condition ?? ''))

function objectsIn(value: unknown): Document[] {
  if (Array.isArray(value)) return value.flatMap(objectsIn)
  if (typeof value !== 'object' || value === null) return []
  return [value, ...Object.values(value).flatMap(objectsIn)]
}
