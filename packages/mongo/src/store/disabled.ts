import { type DisabledUsers, userId } from '@chatbox/core'
import { type Access, find } from '../access.ts'
import { newMark } from '../documents/session.ts'
import { codeOf, DUPLICATE_KEY, NotYet } from '../faults.ts'
import { queries } from '../queries.ts'
import { fieldsOf } from '../values.ts'

export function disabledUsers(access: Access): DisabledUsers {
  const { attempt, collections, limited } = access
  return {
    list: () =>
      attempt('list disabled users', async () =>
        (await find(access, queries.disabledUsers())).map((row) => userId(fieldsOf(row).text('_id'))),
      ),

    set: (uid, disabled) =>
      attempt(disabled ? 'disable a user' : 'enable a user', async () => {
        const { filter } = queries.disabledUser(uid)
        if (!disabled) return void (await collections.disabledUsers.deleteOne(filter, limited))
        try {
          // Written where it is there already too, so that a majority has it when this resolves.
          await collections.disabledUsers.updateOne(filter, { $set: { op: newMark() } }, { upsert: true, ...limited })
        } catch (error) {
          if (codeOf(error) === DUPLICATE_KEY) throw new NotYet('somebody else has just done so', { cause: error })
          throw error
        }
      }),
  }
}
