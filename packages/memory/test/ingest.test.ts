import { ingestContract } from '@chatbox/testkit/contracts'
import { store } from './store.ts'

ingestContract('memory', store)
