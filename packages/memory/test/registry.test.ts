import { registryContract } from '@chatbox/testkit/contracts'
import { store } from './store.ts'

registryContract('memory', store)
