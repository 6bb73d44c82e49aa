import { busContract } from '@chatbox/testkit/contracts'
import { store } from './store.ts'

busContract('memory', store)
