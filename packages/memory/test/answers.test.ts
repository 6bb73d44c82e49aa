import { answersContract } from '@chatbox/testkit/contracts'
import { store } from './store.ts'

answersContract('memory', store)
