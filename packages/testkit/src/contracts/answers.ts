import { describe } from 'vitest'
import type { Build } from './adapter.ts'
import { appendContract } from './answers/append.ts'
import { beginContract } from './answers/begin.ts'
import { cancelContract } from './answers/cancel.ts'
import { closeContract } from './answers/close.ts'
import { endContract } from './answers/end.ts'
import { fenceContract } from './answers/fence.ts'
import { mergeContract } from './answers/merge.ts'
import { answersModelContract } from './answers/model.ts'
import { snapshotContract } from './answers/snapshot.ts'

/** Everything that holds for Answers, whatever they are kept in; the bus is the one that they publish on. */
export function answersContract(name: string, build: Build<'answers' | 'bus'>): void {
  describe(`Answers on ${name}`, () => {
    beginContract(build)
    appendContract(build)
    mergeContract(build)
    cancelContract(build)
    endContract(build)
    snapshotContract(build)
    closeContract(build)
    fenceContract(build)
    answersModelContract(build)
  })
}
