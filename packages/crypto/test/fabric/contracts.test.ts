import { sealedFabric } from '@chatbox/crypto'
import { memoryFabric } from '@chatbox/memory'
import {
  answersContract,
  busContract,
  type ContractSettings,
  disabledContract,
  ingestContract,
  jobsContract,
  limiterContract,
  registryContract,
} from '@chatbox/testkit/contracts'
import { ring } from '../rings.ts'

const NAME = 'a sealed memory'

/** The suites run the store's clock; nothing may fail to open. */
async function store({ limits, logEvents, answerBytes, partitionEntries, deadLetters, ...clocks }: ContractSettings) {
  const bounds = Object.entries({ logEvents, answerBytes, partitionEntries, deadLetters })
  let time = Date.now()
  const fabric = memoryFabric({
    now: () => time,
    clocks,
    bounds: Object.fromEntries(bounds.filter(([, bound]) => bound !== undefined)),
    ...(limits && { limits }),
  })
  const onUnopenable = (place: string) => {
    throw new Error(`${place} does not open`)
  }
  return {
    ...sealedFabric(fabric, ring('k1'), { onUnopenable }),
    empty: async () => fabric.empty(),
    close: () => fabric.close(),
    pass: async (ms: number) => {
      time += ms
    },
    async lose(job: Parameters<typeof fabric.test.jobs.lose>[0]) {
      if (!fabric.test.jobs.lose(job)) throw new Error('the job is not at work')
    },
  }
}

busContract(NAME, store)
answersContract(NAME, store)
ingestContract(NAME, store)
jobsContract(NAME, store)
registryContract(NAME, store)
limiterContract(NAME, store)
disabledContract(NAME, store)
