import { describe, expect, test } from 'vitest'
import { afterClose, closeCodes } from '../src/index.ts'

describe('close codes', () => {
  test('each code stands for one thing', () => {
    const codes = Object.values(closeCodes).map(({ code }) => code)
    expect(new Set(codes).size).toBe(codes.length)
  })

  test.each(Object.entries(closeCodes).filter(([, { code }]) => code >= 4000))('%s keeps to its range', (_, row) => {
    expect(row.after).toBe(row.code < 4100 ? 'reconnect' : row.code < 4200 ? 'refresh' : 'stop')
  })

  test.each([
    [1000, 'stop'],
    [1005, 'reconnect'],
    [1015, 'reconnect'],
    [3000, 'reconnect'],
    [4004, 'reconnect'],
    [4099, 'reconnect'],
    [4102, 'refresh'],
    [4199, 'refresh'],
    [4204, 'stop'],
    [4299, 'stop'],
    [4300, 'reconnect'],
    [4999, 'reconnect'],
    [0, 'reconnect'],
    [Number.NaN, 'reconnect'],
  ] as const)('after %d a client does: %s', (code, after) => {
    expect(afterClose(code)).toBe(after)
  })
})
