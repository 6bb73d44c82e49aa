export {
  connectWire,
  parseServerFrame,
  refusedUpgrade,
  type Sent,
  type WireClient,
  type WireOptions,
} from './client.ts'
export { shownTexts, textMark } from './merge.ts'
