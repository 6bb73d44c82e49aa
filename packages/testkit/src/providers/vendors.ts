import { anthropic } from './vendors/anthropic.ts'
import { dify } from './vendors/dify.ts'
import { openAIChat, openAIResponses } from './vendors/openai.ts'

export type { Frames, Heard, Vendor } from './vendors/vendor.ts'

/** Every way to a model that has a vendor. */
export const VENDORS = { openAIChat, openAIResponses, anthropic, dify }
