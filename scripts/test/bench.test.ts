import { expect, test } from 'vitest'
import { quantile } from '../bench/lib/quantile.ts'
import { table } from '../bench/lib/table.ts'

test('a table is Markdown, its figures have three digits', () => {
  const text = table(
    ['frame', 'ns', 'ratio'],
    [
      ['message.send', 1234.56, 2.9871],
      ['ping', 0.012345, 1],
    ],
  )
  expect(text.split('\n')).toEqual([
    '| frame        |     ns | ratio |',
    '| ------------ | -----: | ----: |',
    '| message.send |   1235 |  2.99 |',
    '| ping         | 0.0123 |     1 |',
  ])
})

test('a quantile is the sample that the share does not exceed', () => {
  const samples = Array.from({ length: 100 }, (_, i) => 100 - i)
  expect([0, 0.5, 0.99, 1].map((q) => quantile(samples, q))).toEqual([1, 50, 99, 100])
  expect(quantile([7], 0.5)).toBe(7)
  expect(quantile([], 0.5)).toBeNaN()
})
