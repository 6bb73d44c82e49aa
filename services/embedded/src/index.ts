export { type EmbeddedConfig, embeddedConfig } from './config.ts'
export { createEmbedded, type Embedded } from './embedded.ts'
