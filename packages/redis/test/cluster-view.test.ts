import { describe, expect, it } from 'vitest'
import { latestOf, type View } from '../src/connection/cluster-view.ts'

const view = (port: number, epoch: number, ok = true): View => ({
  epoch,
  ok,
  ranges: [{ from: 0, to: 16_383, host: '127.0.0.1', port }],
})

describe('of what the nodes of a cluster say', () => {
  it('that of the highest epoch counts, however many say otherwise', () => {
    expect(latestOf([view(1, 6), view(1, 6), view(2, 7, false)])).toEqual(view(2, 7, false))
  })

  it('then that of one that reaches the others, then that of most', () => {
    expect(latestOf([view(1, 7, false), view(1, 7, false), view(2, 7)])).toEqual(view(2, 7))
    expect(latestOf([view(1, 7), view(2, 7), view(2, 7)])).toEqual(view(2, 7))
  })

  it('nothing counts where nobody says anything', () => {
    expect(latestOf([])).toBeUndefined()
  })
})
