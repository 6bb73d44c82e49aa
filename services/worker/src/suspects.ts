import { type Answer, type AnswerLimits, crashesOf } from '@chatbox/core'
import { type Answering, Stopped } from './answering.ts'
import { condition } from './condition.ts'

/**
 * Answers whose workers have died so often that the next time is their last chance. One of them may be what kills the workers, and the
 * others were only at work beside it each time; so this worker tries them one after the other, and no one costs another its last chance (R13).
 */
export interface Suspects {
  /** Resolves when it is this one's turn, or when it was stopped; rejects when it was left. */
  enter(answering: Answering): Promise<void>
  leave(answering: Answering): void
}

export const isSuspect = (answer: Answer, { maxCrashes }: Pick<AnswerLimits, 'maxCrashes'>): boolean =>
  crashesOf(answer) >= Math.max(1, maxCrashes - 1)

export function createSuspects(): Suspects {
  const line: Answering[] = []
  const moved = condition()
  return {
    async enter(answering) {
      line.push(answering)
      try {
        await moved.until(() => line[0] === answering, answering.stopped)
      } catch (error) {
        if (!(error instanceof Stopped)) throw error
      }
    },
    leave(answering) {
      const place = line.indexOf(answering)
      if (place === -1) return
      line.splice(place, 1)
      moved.changed()
    },
  }
}
