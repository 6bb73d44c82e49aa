import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answersContract } from './conversations/answers.ts'
import { modelContract } from './conversations/equal-model.ts'
import { erasureContract } from './conversations/erasure.ts'
import { forgettingContract } from './conversations/forgetting.ts'
import { ratingsContract } from './conversations/ratings.ts'
import { sessionsContract } from './conversations/sessions.ts'
import { settlingContract } from './conversations/settling.ts'
import { sharesContract } from './conversations/shares.ts'
import { type BuildConversations, inTexts, type Texts } from './conversations/store.ts'
import { sumsContract } from './conversations/sums.ts'
import { turnsContract } from './conversations/turns.ts'

export { type SealedStore, sealedConversationsContract } from './conversations/sealed.ts'
export {
  type BuildConversations,
  byteValues,
  type ConversationsStore,
  type Values,
  withKeys,
} from './conversations/store.ts'

/** Everything that holds for Conversations, in clear or of bytes, whatever keeps them. */
export function conversationsContract<C, T>(name: string, build: BuildConversations<C, T>): void {
  describe(`Conversations on ${name}`, () => {
    let conversations: Texts
    let close: () => Promise<void>
    beforeAll(async () => {
      const built = await build()
      conversations = inTexts(built)
      close = () => built.close()
    })
    afterAll(() => close())
    const store = () => conversations

    it('answers a ping', async () => {
      await expect(store().ping()).resolves.toBeUndefined()
    })
    sessionsContract(store)
    sharesContract(store)
    turnsContract(store)
    sumsContract(store)
    answersContract(store)
    ratingsContract(store)
    settlingContract(store)
    erasureContract(store)
    forgettingContract(store)
    modelContract(store)
  })
}
