import type { WriteOptions } from '../group-commit.ts'
import type { Statements } from '../sql/index.ts'

/** How the parts of the store reach the database. */
export interface Access {
  readonly statements: Statements
  /** Of what is committed. */
  read<T>(query: () => T): Promise<T>
  write<T>(operation: () => T, options?: WriteOptions): Promise<T>
  now(): number
}
