import { duration } from '../codecs/values.ts'
import { group } from '../group.ts'
import { type Setting, setting } from '../setting.ts'

/** Milliseconds (L1, R17). */
export interface LlmTimeouts {
  readonly queue: number
  readonly firstToken: number
  readonly idle: number
  readonly total: number
}

const codec = duration({ min: 10, max: 3_600_000 })

export function llmTimeouts(): Setting<LlmTimeouts> {
  return group(
    {
      queue: setting('LLM_QUEUE_TIMEOUT', codec, {
        about:
          'How long an answer may wait for a free worker, on top of LLM_TOTAL_TIMEOUT, from when its turn has come.',
        default: '10m',
      }),
      firstToken: setting('LLM_FIRST_TOKEN_TIMEOUT', codec, {
        about: "How long an answer's first token may take.",
        default: '30s',
      }),
      idle: setting('LLM_IDLE_TIMEOUT', codec, {
        about: 'How long the next token of an answer may take.',
        default: '30s',
      }),
      total: setting('LLM_TOTAL_TIMEOUT', codec, { about: 'How long a whole answer may take.', default: '5m' }),
    },
    ({ firstToken, idle, total }, source) => {
      if (firstToken > total) source.fault('LLM_FIRST_TOKEN_TIMEOUT', 'must not be longer than LLM_TOTAL_TIMEOUT')
      if (idle > total) source.fault('LLM_IDLE_TIMEOUT', 'must not be longer than LLM_TOTAL_TIMEOUT')
    },
  )
}
