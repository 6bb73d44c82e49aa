import { describe, expect, it } from 'vitest'
import { estimateTokens } from '../src/index.ts'

describe('the estimate of tokens', () => {
  it('is near what tokenizers give for prose, and never low for other scripts', () => {
    const english =
      'The quick brown fox jumps over the lazy dog, and then it goes home to sleep until the morning comes.'
    expect(estimateTokens(english)).toBeGreaterThanOrEqual(22)
    expect(estimateTokens(english)).toBeLessThanOrEqual(34)
    expect(estimateTokens('机器学习很有意思')).toBeGreaterThanOrEqual(8)
    expect(estimateTokens('😀😀😀')).toBe(6)
    expect(estimateTokens('')).toBe(0)
  })
})
