import { type DisabledUsers, userId } from '@chatbox/core'
import { columnsOf } from '../row.ts'
import type { Access } from './access.ts'

export function disabledUsers({ statements, read, write }: Access): DisabledUsers {
  return {
    list: () => read(() => statements.disabledUsers.all().map((row) => userId(columnsOf(row).text('uid')))),
    set: (uid, disabled) =>
      write(() => void (disabled ? statements.addDisabled : statements.removeDisabled).run({ uid })),
  }
}
