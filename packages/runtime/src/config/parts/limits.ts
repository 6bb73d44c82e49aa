import { defaultLimits, HARD_FRAME_LIMIT, type Limits } from '@chatbox/protocol'
import { integer, size } from '../codecs/values.ts'
import { group } from '../group.ts'
import { type Setting, setting } from '../setting.ts'

/** Room for a frame's other fields around its text. */
const FRAME_OVERHEAD = 4096

/** What a client may send (M9), with the protocol's defaults. */
export function limits(): Setting<Limits> {
  return group(
    {
      text: bytes('MAX_TEXT_SIZE', 'text of a message', defaultLimits.text, HARD_FRAME_LIMIT),
      metadataValue: bytes('MAX_METADATA_VALUE_SIZE', 'value of a metadata entry', defaultLimits.metadataValue, 32_768),
      metadataEntries: count('MAX_METADATA_ENTRIES', 'metadata entries of a message', defaultLimits.metadataEntries),
      fileId: bytes('MAX_FILE_ID_SIZE', 'file id', defaultLimits.fileId, 1024),
      files: count('MAX_FILES', 'files of a message', defaultLimits.files),
      url: bytes('MAX_URL_SIZE', 'URL', defaultLimits.url, 8192),
      modelId: bytes('MAX_MODEL_ID_SIZE', 'model id', defaultLimits.modelId, 1024),
      sessionId: bytes('MAX_SESSION_ID_SIZE', 'session id', defaultLimits.sessionId, 1024),
      frame: bytes('MAX_FRAME_SIZE', 'WebSocket frame', defaultLimits.frame, HARD_FRAME_LIMIT),
    },
    ({ text, frame }, source) => {
      if (frame >= text + FRAME_OVERHEAD) return
      source.fault(
        'MAX_FRAME_SIZE',
        `must exceed MAX_TEXT_SIZE by ${FRAME_OVERHEAD} bytes, or the largest text cannot be sent`,
      )
    },
  )
}

function bytes(name: string, what: string, fallback: number, max: number): Setting<number> {
  return setting(name, size({ min: 1, max }), { about: `Largest ${what}, in bytes.`, default: `${fallback}` })
}

function count(name: string, what: string, fallback: number): Setting<number> {
  return setting(name, integer({ max: 100 }), { about: `How many ${what} there may be.`, default: `${fallback}` })
}
