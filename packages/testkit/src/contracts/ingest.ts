import { describe } from 'vitest'
import type { Build } from './adapter.ts'
import { ingestAppendContract } from './ingest/append.ts'
import { ingestLossContract } from './ingest/loss.ts'
import { ingestReadContract } from './ingest/read.ts'
import { ingestRemoveContract } from './ingest/remove.ts'

/** Everything that holds for an Ingest, whatever it is kept in. */
export function ingestContract(name: string, build: Build<'ingest'>): void {
  describe(`Ingest on ${name}`, () => {
    ingestAppendContract(build)
    ingestReadContract(build)
    ingestRemoveContract(build)
    ingestLossContract(build)
  })
}
