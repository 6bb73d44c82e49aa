import type { FinishReason } from '../../provider.ts'

/**
 * The rest are ends as good as any: `end_turn`, `stop_sequence`, what the vendor will call its ends tomorrow, and `tool_use` and
 * `pause_turn`, which only come to those who offer tools.
 */
const REASONS: Readonly<Record<string, FinishReason>> = {
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  refusal: 'filtered',
}

export const finishReasonOf = (stopReason: string | null): FinishReason =>
  (stopReason !== null && REASONS[stopReason]) || 'stop'
