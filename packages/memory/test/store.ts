import { type MemoryFabric, memoryFabric } from '@chatbox/memory'
import type { ContractSettings, StoreControls } from '@chatbox/testkit/contracts'

/** The fabric as the contract suites want it: its clock goes on when they say so. */
export async function store(settings: ContractSettings): Promise<Omit<MemoryFabric, 'empty'> & StoreControls> {
  const { limits, logEvents, answerBytes, partitionEntries, deadLetters, ...clocks } = settings
  let time = Date.now()
  const fabric = memoryFabric({
    now: () => time,
    clocks,
    bounds: {
      ...(logEvents !== undefined && { logEvents }),
      ...(answerBytes !== undefined && { answerBytes }),
      ...(partitionEntries !== undefined && { partitionEntries }),
      ...(deadLetters !== undefined && { deadLetters }),
    },
    ...(limits && { limits }),
  })
  return {
    ...fabric,
    async empty() {
      fabric.empty()
    },
    async pass(ms) {
      time += ms
    },
  }
}
