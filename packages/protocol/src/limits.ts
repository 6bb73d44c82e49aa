export const PROTOCOL_VERSION = 1

/** What a client may send, in bytes of UTF-8 unless the name says otherwise (M9). */
export interface Limits {
  readonly text: number
  readonly metadataValue: number
  readonly metadataEntries: number
  readonly fileId: number
  readonly files: number
  readonly url: number
  readonly modelId: number
  readonly sessionId: number
  readonly frame: number
}

export const defaultLimits: Limits = {
  text: 10_000,
  metadataValue: 1_000,
  metadataEntries: 16,
  fileId: 255,
  files: 10,
  url: 2_048,
  modelId: 100,
  sessionId: 128,
  frame: 65_536,
}

/** The transport cuts a connection above this; between it and `Limits.frame` a client still gets its `too_large`. */
export const HARD_FRAME_LIMIT = 131_072

/** A socket that has not said who it is gets no more than this in one frame (a token fits). */
export const UNAUTHENTICATED_FRAME_LIMIT = 4_096

export const MAX_POSITION_LENGTH = 200
